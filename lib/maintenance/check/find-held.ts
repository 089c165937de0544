import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { graphOf } from '../collect/document-graph.ts'
import { GraphMarker, type Visit } from '../collect/mark-graph.ts'
import { ingestVisit, leaseVisits, recordVisits } from '../collect/root-visits.ts'
import type { FoundBlob } from './verify-blobs.ts'

/** The smallest JSON that names a subject is longer. */
const SMALLEST_REFERRER = 90

/**
 * Of the blobs that no name leads to, those that are needed all the same: by a lease, an ingest under way or a build cache,
 * or because they are about something that is needed. With everything below them, and with what names lead to.
 */
export async function findHeld(
  store: Store,
  reached: Iterable<Digest>,
  loose: readonly FoundBlob[],
  options: AbortOptions,
): Promise<{ has(digest: Digest): boolean }> {
  const { collection } = store
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
