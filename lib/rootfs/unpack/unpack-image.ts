import { type Image, type ImageLayer, readImage } from '../../image/index.ts'
import { assertOptions } from '../../internal/assert-kind.ts'
import { pathOf } from '../../internal/path-of.ts'
import { layerFault, readLayerTar } from '../../layer/index.ts'
import type { Descriptor, Platform } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { UnpackOptions } from './unpack-options.ts'
import type { UnpackReport } from './unpack-report.ts'

/** Options of {@link unpackImage}. */
export interface UnpackImageOptions extends UnpackOptions {
  /** Platform to take from an index. @defaultValue linux on this machine's processor */
  readonly platform?: string | Platform | undefined
}

/**
 * Writes the root filesystem of an image to a directory, which must be empty or absent; see {@link unpackLayers}.
 *
 * @example
 * ```ts
 * const report = await unpackImage(store, 'app:1.0', './rootfs')
 * ```
 *
 * @param image - A name, a digest, a descriptor, or the result of `readImage`.
 * @param directory - A path, or a `file:` URL.
 * @throws the errors of `readImage` and {@link unpackLayers}.
 */
export async function unpackImage(
  store: Store,
  image: string | Descriptor | Image,
  directory: string | URL,
  options: UnpackImageOptions = {},
): Promise<UnpackReport> {
  assertOptions(options)
  const read = isImage(image) ? image : await readImage(store, image, options)
  return unpackLayers(store, read.layers, directory, options)
}

/**
 * Writes layers to a directory, lowest first: files, directories, links and devices with their owners, modes, times and
 * extended attributes, with whiteouts applied.
 *
 * Nothing is visible in the directory until every layer was read to its end and matched its diffID. If the call fails
 * or is aborted, it removes what it wrote; paths that could not be removed are passed to {@link UnpackOptions.onLeft}.
 * The report lists all metadata that the system or the options did not allow to apply. Times are kept to the
 * microsecond. Nothing is fsynced. Memory grows with the number of names in one layer, not with sizes.
 *
 * No layer can reach a path outside the directory: links are resolved inside it, and metadata is never applied through
 * a link. On Linux this holds even if another process changes the tree meanwhile; on other systems only if none does.
 *
 * Each layer is opened once. If a layer has whiteouts whose effect is certain only before its first entry, all layers
 * are opened again, twice each. With `overwrite`, every layer is opened twice.
 *
 * @throws {@link RootfsError} `ERR_TARGET_NOT_EMPTY`, `ERR_UNSAFE_PATH`, `ERR_INVALID_LINK`, `ERR_INVALID_WHITEOUT`,
 * `ERR_NOT_A_DIRECTORY`, `ERR_TOO_MANY_LINKS`, `ERR_UNSUPPORTED_ENTRY`, `ERR_UNPACK` if a system call fails.
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`; {@link FormatError} and {@link LimitError} as
 * `readLayer`.
 * @see
 * {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets | image-spec: applying changesets}
 */
export async function unpackLayers(
  store: Store,
  layers: readonly ImageLayer[],
  directory: string | URL,
  options: UnpackOptions = {},
): Promise<UnpackReport> {
  assertOptions(options)
  const path = pathOf(directory, 'directory')
  const { signal, hasher, maxLayerBytes: maxBytes, limits } = options
  const sources = layers.map(({ descriptor, diffId }) => ({
    name: diffId,
    open: () => readLayerTar(store, descriptor, { ...limits, diffId, signal, hasher, maxBytes }),
    explain: (error: unknown) => layerFault(store, descriptor, error, { signal }),
  }))
  const { unpackArchives } = await import('./unpack-archives.ts')
  return unpackArchives(sources, path, options)
}

function isImage(image: string | Descriptor | Image): image is Image {
  return typeof image === 'object' && image !== null && 'layers' in image
}
