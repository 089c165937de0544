import type { ChangedField } from '../../layer/index.ts'
import { openUnionView, type ViewStore } from '../../rootfs/index.ts'
import { type InspectedSource, type InspectionOptions, readSource } from '../read-source.ts'
import { diffConfigs } from './diff-configs.ts'
import { diffFiles } from './diff-files.ts'
import { diffLayers } from './diff-layers.ts'
import type { ImageDiff } from './image-diff.ts'

/** An image, and the store, archive or registry that has it. */
export interface LocatedImage {
  /** Blobs of the image. */
  readonly store: ViewStore
  /** The image. */
  readonly image: InspectedSource
}

/** Options of {@link diffImages}. */
export interface DiffImagesOptions extends InspectionOptions {
  /** Compare the root filesystems too. Without it no layer is opened. @defaultValue `true` */
  readonly files?: boolean | undefined
  /** Metadata of files that is not compared, e.g. `['mtime']`. @defaultValue `[]` */
  readonly ignore?: readonly ChangedField[] | undefined
}

/**
 * Compares two images: config, layers and files. Files are compared by content; a file that is at another path counts
 * as moved. Memory grows with the number of paths.
 *
 * @example
 * ```ts
 * const { files, config } = await diffImages({ store, image: 'app:1.0' }, { store, image: 'app:1.1' })
 * console.log(config, files?.changed.map(({ path, fields }) => `${path}: ${fields}`))
 * ```
 *
 * @throws the errors of `readImage`, and with `files` those of `openUnionView`.
 */
export async function diffImages(
  before: LocatedImage,
  after: LocatedImage,
  options: DiffImagesOptions = {},
): Promise<ImageDiff> {
  const { signal, hasher, limits, ignore } = options
  const lower = await readSource(before.store, before.image, options)
  const upper = await readSource(after.store, after.image, options)
  const config = diffConfigs(lower, upper)
  const layers = diffLayers(lower, upper)
  const parts = { version: 1, before: lower.descriptor.digest, after: upper.descriptor.digest } as const
  const isEqual = config.length + layers.added.length + layers.removed.length === 0 && !layers.reordered
  if (options.files === false) return { ...parts, equal: isEqual, config, layers }
  const [from, to] = [
    await openUnionView(before.store, lower, { signal, hasher, limits }),
    await openUnionView(after.store, upper, { signal, hasher, limits }),
  ]
  const files = await diffFiles(from, to, { signal, hasher, ignore })
  const changes = [files.added, files.removed, files.changed, files.metadataOnly, files.moved]
  return { ...parts, equal: isEqual && changes.every(list => list.length === 0), config, layers, files }
}
