import type { Digest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { parseDescriptor } from '../../oci/index.ts'
import type { LeaseInfo, Store, UnfinishedUsage } from '../../store/index.ts'
import type { BlobCount } from './collection-plan.ts'
import { GraphMarker, type RootKind } from './mark-graph.ts'
import { markStore, surveyStore } from './mark-store.ts'
import { driverOf } from './plan-collection.ts'
import { resolvePolicy } from './resolve-policy.ts'
import { nameVisit } from './root-visits.ts'

/** How much an image takes. */
export interface ImageUsage extends BlobCount {
  /** The name. */
  readonly name: string
  /** Digest of the blob. */
  readonly digest: Digest
  /** Bytes of the blobs that no other image of the store has. */
  readonly uniqueBytes: number
}

/** What is in a store, by what keeps it. Each blob counts once, for the strongest reason. */
export interface StoreUsage {
  /** All blobs. */
  readonly total: BlobCount
  /** Reached from names and entries of the index. */
  readonly named: BlobCount
  /** Reached from cache records only. */
  readonly cached: BlobCount
  /** Kept by leases and ingests only. */
  readonly leased: BlobCount
  /** Reached by nothing, but younger than the grace period. */
  readonly young: BlobCount
  /** What a collection would take now. */
  readonly reclaimable: BlobCount
  /** Ingests that have not come to their end; not among the blobs. */
  readonly unfinished: UnfinishedUsage
  /** Every name, ordered by name. */
  readonly images: readonly ImageUsage[]
  /** Every lease. */
  readonly leases: readonly LeaseInfo[]
}

/**
 * Says what takes how much space. Changes nothing. What cannot be understood is counted where it stands.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`, `ERR_STORE_IO`, `ERR_COLLECTION_UNSUPPORTED`.
 */
export async function readStoreUsage(store: Store, options: AbortOptions = {}): Promise<StoreUsage> {
  const driver = driverOf(store)
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

/** An entry of another tool that is none keeps a collection from running; it hides nothing of what is there. */
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
