import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { parseDescriptor } from '../../oci/index.ts'
import type { LeaseInfo, Store, UnfinishedUsage } from '../../store/index.ts'
import type { BlobCount } from './collection-plan.ts'
import { GraphMarker, type RootKind } from './mark-graph.ts'
import { markStore, surveyStore } from './mark-store.ts'
import { collectionDriverOf } from './plan-collection.ts'
import { resolvePolicy } from './resolve-policy.ts'
import { nameVisit } from './root-visits.ts'

/** Disk usage of one image. */
export interface ImageUsage extends BlobCount {
  /** The name. */
  readonly name: string
  /** Digest of the manifest or index. */
  readonly digest: Digest
  /** Total size of the blobs that no other image of the store uses, in bytes. */
  readonly uniqueBytes: number
}

/** Disk usage of a store by kind of root. Each blob counts once, for its strongest root. */
export interface StoreUsage {
  /** All blobs. */
  readonly total: BlobCount
  /** Reachable from names and entries of the index. */
  readonly named: BlobCount
  /** Reachable only from cache records. */
  readonly cached: BlobCount
  /** Kept only by leases and ingests. */
  readonly leased: BlobCount
  /** Unreachable, but younger than the grace period. */
  readonly young: BlobCount
  /** Blobs that a collection would remove now. */
  readonly reclaimable: BlobCount
  /** Unfinished ingests; not counted among the blobs. */
  readonly unfinished: UnfinishedUsage
  /** Every name, ordered by name. */
  readonly images: readonly ImageUsage[]
  /** Every lease. */
  readonly leases: readonly LeaseInfo[]
}

/**
 * Computes the disk usage of a store. Changes nothing. A document that cannot be parsed counts with its own size.
 *
 * @example
 * ```ts
 * const { total, reclaimable, images } = await readStoreUsage(store)
 * console.log(total.bytes, reclaimable.bytes, images.map(({ name, uniqueBytes }) => [name, uniqueBytes]))
 * ```
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`, `ERR_STORE_IO`, `ERR_COLLECTION_UNSUPPORTED`.
 */
export async function readStoreUsage(store: Store, options: AbortOptions = {}): Promise<StoreUsage> {
  const driver = collectionDriverOf(store)
  const survey = await surveyStore(driver, resolvePolicy({ unknown: 'keep' }), options)
  const entries = survey.roots.entries.filter(isDescriptor)
  const { marks } = await markStore(survey, { ...survey.roots, entries }, options)
  const count = (digests: Iterable<Digest>): BlobCount => {
    let [blobs, bytes] = [0, 0]
    for (const digest of digests) {
      const size = survey.blobs.get(digest)?.size
      if (size === undefined) continue
      blobs++
      bytes += size
    }
    return { blobs, bytes }
  }
  const keptBy = (...kinds: RootKind[]) =>
    count([...marks].flatMap(([digest, { root }]) => (kinds.includes(root) ? [digest] : [])))
  const images = await imagesOf(survey, options)
  const uses = new Map<Digest, Set<Digest>>()
  for (const { root, blobs } of images)
    for (const blob of blobs) uses.set(blob, (uses.get(blob) ?? new Set()).add(root))
  return {
    total: count(survey.blobs.keys()),
    named: keptBy('name'),
    cached: keptBy('record'),
    leased: keptBy('lease', 'ingest'),
    young: keptBy('young'),
    reclaimable: count([...survey.blobs.keys()].filter(digest => !marks.has(digest))),
    unfinished: await driver.unfinished(),
    images: images.map(({ name, root, blobs }) => ({
      name,
      digest: root,
      ...count(blobs),
      uniqueBytes: count(blobs.filter(blob => uses.get(blob)?.size === 1)).bytes,
    })),
    leases: survey.roots.leases.map(({ holderLives: _, ...lease }) => lease),
  }
}

/** Whether an index entry is a descriptor. An invalid entry stops a collection, but the usage can still be shown. */
function isDescriptor(entry: unknown): boolean {
  try {
    parseDescriptor(entry)
    return true
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}

async function imagesOf(
  { graph, roots }: Awaited<ReturnType<typeof surveyStore>>,
  options: AbortOptions,
): Promise<{ name: string; root: Digest; blobs: Digest[] }[]> {
  const images: { name: string; root: Digest; blobs: Digest[] }[] = []
  for (const named of [...roots.names].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const marking = new GraphMarker(graph)
    await marking.walk([nameVisit(named)], options)
    images.push({ name: named.name, root: named.descriptor.digest, blobs: [...marking.marks.keys()] })
  }
  return images
}
