import type { Digest } from '../../digest/index.ts'
import type { Image } from '../../image/index.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import { openUnionView } from '../../rootfs/index.ts'
import type { LocatedImage } from '../diff/diff-images.ts'
import { type InspectionOptions, readSource } from '../read-source.ts'
import { countBits, type FileGroup, mergeGroups } from './merge-groups.ts'
import { rollUp } from './roll-up.ts'
import type { ReleaseUpdate, SplitAdvice } from './split-advice.ts'
import { FileTracker, type TrackedFile } from './track-files.ts'

/** Options of {@link adviseSplit}. */
export interface AdviseSplitOptions extends InspectionOptions {
  /** Largest number of layers to propose above the shared ones. @defaultValue `4` */
  readonly layers?: number | undefined
  /** Largest number of places of each layer; its sums cover all. @defaultValue `20` */
  readonly most?: number | undefined
}

/** Changes are sets of bits of one number. */
const MOST_RELEASES = 32

/**
 * Advises how to split an image into layers, from its releases: files that change in the same updates belong into one
 * layer, the most stable one lowest. The costs of the proposed layers are estimates: bytes of files, at the compression
 * ratio of the layers as they are. Files that a release removes are not counted.
 *
 * @example
 * ```ts
 * const { layers, savedPerUpdate } = await adviseSplit(['app:1', 'app:2', 'app:3'].map(image => ({ store, image })))
 * console.log(savedPerUpdate, layers.map(({ changedIn, places }) => [changedIn, places.map(place => place.path)]))
 * ```
 *
 * @param releases - The releases, oldest first: at least 2, at most 32.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for another number of releases; the errors of `readImage` and
 * `openUnionView`.
 */
export async function adviseSplit(
  releases: readonly LocatedImage[],
  options: AdviseSplitOptions = {},
): Promise<SplitAdvice> {
  const { signal, hasher, limits, layers: most = 4 } = options
  if (releases.length < 2 || releases.length > MOST_RELEASES) {
    throw invalidArgument('releases', `a list of 2 to ${MOST_RELEASES} images`, releases.length)
  }
  const images: Image[] = []
  for (const { store, image } of releases) images.push(await readSource(store, image, options))
  const shared = sharedDiffIds(images)
  const tracker = new FileTracker()
  let files: readonly TrackedFile[] = []
  for (const [i, image] of images.entries()) {
    const view = await openUnionView(releases[i]!.store, image, { signal, hasher, limits })
    files = tracker.add(view, layer => layer >= 0 && shared.has(image.layers[layer]!.diffId))
  }
  const groups = mergeGroups(files, Math.max(1, most))
  const newest = images.at(-1)!
  const sharedLayers = newest.layers.filter(({ diffId }) => shared.has(diffId))
  const ratio = ratioOf(newest, sharedLayers, groups)
  const updates = images
    .slice(1)
    .map((image, i) => updateOf(images[i]!, image, tracker.updates[i]!, { groups, i, ratio }))
  const onlyTimes = {
    files: sum(tracker.updates, one => one.onlyTimes),
    bytes: sum(tracker.updates, one => one.onlyTimesBytes),
  }
  const saved = sum(updates, ({ blobBytes, proposedBytes }) => blobBytes - proposedBytes) / updates.length
  const places = rollUp(groups)
  return {
    version: 1,
    releases: images.map(({ descriptor }) => descriptor.digest as Digest),
    shared: { layers: sharedLayers.length, blobBytes: sum(sharedLayers, ({ descriptor }) => descriptor.size) },
    updates,
    layers: groups.map(({ files: all, bytes, changes }, i) => ({
      bytes,
      files: all.length,
      changedIn: countBits(changes),
      places: places[i]!.slice(0, options.most ?? 20),
    })),
    onlyTimes,
    savedPerUpdate: Math.max(0, Math.round(saved)),
  }
}

/** Layers that every release has. */
function sharedDiffIds(images: readonly Image[]): Set<string> {
  const [first, ...others] = images.map(({ layers }) => new Set<string>(layers.map(({ diffId }) => diffId)))
  return new Set([...first!].filter(diffId => others.every(other => other.has(diffId))))
}

/** Compressed bytes for each byte of a file, in the layers above the shared ones. */
function ratioOf({ layers }: Image, shared: Image['layers'], groups: readonly FileGroup[]): number {
  const blobBytes = sum(layers, ({ descriptor }) => descriptor.size) - sum(shared, ({ descriptor }) => descriptor.size)
  const bytes = sum(groups, group => group.bytes)
  return bytes === 0 ? 0 : Math.min(1, blobBytes / bytes)
}

function updateOf(
  before: Image,
  after: Image,
  changes: FileTracker['updates'][number],
  { groups, i, ratio }: { groups: readonly FileGroup[]; i: number; ratio: number },
): ReleaseUpdate {
  const had = new Set<string>(before.layers.map(({ descriptor }) => descriptor.digest))
  const sent = groups.filter(group => (group.changes & (1 << i)) !== 0)
  return {
    from: before.descriptor.digest as Digest,
    to: after.descriptor.digest as Digest,
    blobBytes: sum(after.layers, ({ descriptor }) => (had.has(descriptor.digest) ? 0 : descriptor.size)),
    changedBytes: changes.bytes,
    changedFiles: changes.files,
    proposedBytes: Math.round(sum(sent, group => group.bytes) * ratio),
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
