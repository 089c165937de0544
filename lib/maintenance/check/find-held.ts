import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import { driverOf, type Store } from '../../store/index.ts'
import { graphOf } from '../collect/document-graph.ts'
import { GraphMarker, type Visit } from '../collect/mark-graph.ts'
import { ingestVisit, leaseVisits, recordVisits } from '../collect/root-visits.ts'
import type { FoundBlob } from './verify-blobs.ts'

/** Size of the smallest JSON document with a subject, in bytes. */
const SMALLEST_REFERRER = 90

/**
 * Finds the blobs without a name that are needed nevertheless: by a lease, a running ingest or a build cache, or
 * because they refer to a needed blob as their subject. Includes everything below them and everything that names lead
 * to.
 */
export async function findHeld(
  store: Store,
  reached: Iterable<Digest>,
  loose: readonly FoundBlob[],
  options: AbortOptions,
): Promise<{ has(digest: Digest): boolean }> {
  const { collection } = driverOf(store)
  if (!collection) return new Set()
  const graph = graphOf(collection)
  const marking = new GraphMarker(graph)
  await marking.walk(
    Array.from(reached, (digest): Visit => ({ digest, why: '', root: 'name' })),
    options,
  )
  const { records, leases, ingests } = await collection.roots(options)
  const visits = [...records.flatMap(recordVisits), ...leaseVisits(leases), ...ingests.map(ingestVisit)]
  await marking.walk(visits, options)
  for (const { digest, size } of loose) {
    if (marking.marks.has(digest) || size < SMALLEST_REFERRER || size > Limits.manifestBytes) continue
    options.signal?.throwIfAborted()
    const { subject } = await graph.loose(digest)
    if (subject !== undefined) await marking.addReferrer(digest, subject, options)
  }
  return marking.marks
}
