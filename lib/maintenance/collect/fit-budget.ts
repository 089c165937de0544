import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { CacheRecord } from '../../store/index.ts'
import { GraphMarker, type Visit } from './mark-graph.ts'
import { markStore, type Survey } from './mark-store.ts'
import type { NamedImage, Retention } from './retention.ts'
import { nameVisit, recordVisits } from './root-visits.ts'

/** A unit that can be dropped: the names of one image in one repository, or one cache record. */
interface Holding {
  readonly lastUsedMs: number
  readonly image?: NamedImage
  readonly record?: CacheRecord
  /** Every blob that it needs. */
  readonly blobs: readonly Digest[]
}

/** Drops names and cache records, least recently used first, until the rest has at most `maxBytes` bytes. */
export async function fitBudget(
  survey: Survey,
  choosing: Retention,
  maxBytes: number,
  options: AbortOptions,
): Promise<void> {
  const pinned = await markStore(survey, { names: [], records: [], entries: survey.roots.entries }, options)
  const holdings = await holdingsOf(survey, choosing, pinned, options)
  const uses = new Map<Digest, number>()
  for (const { blobs } of holdings) for (const digest of blobs) uses.set(digest, (uses.get(digest) ?? 0) + 1)
  const sizeOf = (digest: Digest) => survey.blobs.get(digest)?.size ?? 0
  const isFreed = (digest: Digest) => !pinned.marks.has(digest)
  let total = sum([...pinned.marks.keys()], sizeOf) + sum([...uses.keys()].filter(isFreed), sizeOf)
  for (const holding of holdings) {
    if (total <= maxBytes) return
    for (const digest of holding.blobs) {
      const left = (uses.get(digest) as number) - 1
      uses.set(digest, left)
      if (left === 0 && isFreed(digest)) total -= sizeOf(digest)
    }
    const why = `least recently used, and more than ${maxBytes} bytes would stay`
    if (holding.image) choosing.drop(holding.image, why)
    if (holding.record) choosing.dropRecord(holding.record, why)
  }
}

/**
 * Units that can be dropped, least recently used first. Dropping a unit that is young, leased or otherwise in use frees
 * nothing, so such units stay.
 */
async function holdingsOf(
  survey: Survey,
  choosing: Retention,
  pinned: GraphMarker,
  options: AbortOptions,
): Promise<Holding[]> {
  const referrers = new Map(pinned.referrers)
  for (const [{ descriptor }, subject] of choosing.digestTags) {
    referrers.set(subject, [...(referrers.get(subject) ?? []), descriptor.digest])
  }
  const below = async (visits: Visit[]) => {
    const marking = new GraphMarker(survey.graph, referrers)
    await marking.walk(visits, options)
    return [...marking.marks.keys()]
  }
  const holdings: Holding[] = []
  for (const image of choosing.images().flat()) {
    const [first] = image.names
    if (!first || pinned.marks.has(image.digest)) continue
    holdings.push({ lastUsedMs: image.lastUsedMs, image, blobs: await below([nameVisit(first)]) })
  }
  for (const record of choosing.records()) {
    const lastUsedMs = Math.min(survey.nowMs, record.modifiedMs)
    holdings.push({ lastUsedMs, record, blobs: await below(recordVisits(record)) })
  }
  return holdings.sort((a, b) => a.lastUsedMs - b.lastUsedMs)
}

function sum(digests: readonly Digest[], sizeOf: (digest: Digest) => number): number {
  return digests.reduce((total, digest) => total + sizeOf(digest), 0)
}
