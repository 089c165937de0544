import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { Limits } from '../../oci/index.ts'
import type {
  CacheRecord,
  CollectionDriver,
  CollectionRoots,
  LeaseState,
  NamedDescriptor,
  StoredBlob,
} from '../../store/index.ts'
import type { ResolvedPolicy } from './collection-plan.ts'
import { type DocumentGraph, graphOf } from './document-graph.ts'
import { GraphMarker } from './mark-graph.ts'
import {
  activeLeases,
  containerVisits,
  entryVisit,
  ingestVisit,
  isYoung,
  leaseVisits,
  nameVisit,
  protectedSince,
  recordVisits,
  sinceVisit,
  youngVisit,
} from './root-visits.ts'

/** Snapshot of a store for a collection. */
export interface Survey {
  readonly driver: CollectionDriver
  readonly graph: DocumentGraph
  readonly policy: ResolvedPolicy
  readonly blobs: ReadonlyMap<Digest, StoredBlob>
  readonly roots: CollectionRoots
  /** The active leases. */
  readonly leases: readonly LeaseState[]
  readonly nowMs: number
}

/** Size of the smallest JSON document with a subject, in bytes. */
const SMALLEST_REFERRER = 90
/** PERF: the number of documents that are read at once. */
const AT_ONCE = 16

/** Reads the blobs, then the roots: a blob stored and named after the listing is no candidate for removal. */
export async function surveyStore(
  driver: CollectionDriver,
  policy: ResolvedPolicy,
  options: AbortOptions,
): Promise<Survey> {
  const blobs = new Map<Digest, StoredBlob>()
  for await (const some of driver.blobs(options)) for (const blob of some) blobs.set(blob.digest, blob)
  const roots = await driver.roots(options)
  const nowMs = driver.nowMs?.() ?? Date.now()
  const leases = activeLeases(roots.leases, nowMs, policy.graceMs)
  return { driver, graph: graphOf(driver), policy, blobs, roots, leases, nowMs }
}

/** Roots of the marking: all names and cache records, or those that a policy keeps. */
export interface Chosen {
  readonly names: readonly NamedDescriptor[]
  readonly records: readonly CacheRecord[]
  readonly entries: readonly unknown[]
}

/** Marks the blobs that stay. */
export async function markStore(survey: Survey, chosen: Chosen, options: AbortOptions): Promise<GraphMarker> {
  const { graph, blobs, roots, leases, nowMs, policy } = survey
  const marking = new GraphMarker(graph)
  await marking.walk([...chosen.names.map(nameVisit), ...chosen.entries.map(entryVisit)], options)
  await marking.walk(chosen.records.flatMap(recordVisits), options)
  await marking.walk(containerVisits(roots.containers), options)
  await marking.walk([...leaseVisits(leases), ...roots.ingests.map(ingestVisit)], options)
  await findReferrers(survey, marking, options)
  const since = protectedSince(leases)
  const rest = where(blobs, blob => !marking.marks.has(blob.digest))
  await marking.walk(rest.filter(blob => blob.modifiedMs >= since).map(sinceVisit(leases)), options)
  await marking.walk(rest.filter(blob => isYoung(blob, nowMs, policy.graceMs)).map(youngVisit), options)
  return marking
}

/** Marks the unreached blobs whose subject is marked. */
async function findReferrers({ graph, blobs }: Survey, marking: GraphMarker, options: AbortOptions): Promise<void> {
  const suspects = where(
    blobs,
    ({ digest, size, isDocument }) =>
      isDocument !== false && size >= SMALLEST_REFERRER && size <= Limits.manifestBytes && !marking.marks.has(digest),
  )
  for (let i = 0; i < suspects.length; i += AT_ONCE) {
    options.signal?.throwIfAborted()
    const batch = suspects.slice(i, i + AT_ONCE)
    const nodes = await settleAll(batch.map(({ digest }) => graph.loose(digest)))
    for (const [n, { subject }] of nodes.entries()) {
      if (subject !== undefined) await marking.addReferrer((batch[n] as StoredBlob).digest, subject, options)
    }
  }
}

/** PERF: filters without a copy of all blobs. */
export function where(
  blobs: ReadonlyMap<Digest, StoredBlob>,
  isWanted: (blob: StoredBlob) => boolean,
): readonly StoredBlob[] {
  const wanted: StoredBlob[] = []
  for (const blob of blobs.values()) if (isWanted(blob)) wanted.push(blob)
  return wanted
}

/**
 * SAFETY: a document with unknown children might refer to any blob, and removing it would break the image. So the
 * collection is refused, unless the policy allows it.
 */
export function refuseUnknown({ unknown }: GraphMarker, policy: ResolvedPolicy): void {
  const first = unknown[0]
  if (!first || policy.unknown === 'keep') return
  const others = unknown.length > 1 ? `, and ${unknown.length - 1} more like it` : ''
  throw new StoreError(
    'ERR_COLLECTION_REFUSED',
    `cannot determine which blobs are needed: ${first.digest} (${first.why})${others}; repair it, remove its name, or allow unknown documents and lose the blobs that only they need`,
    { cause: first.cause },
  )
}
