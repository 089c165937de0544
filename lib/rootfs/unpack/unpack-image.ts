import { type Image, type ImageLayer, readImage } from '../../image/index.ts'
import { layerFault, readLayerTar } from '../../layer/index.ts'
import type { Descriptor, Platform } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { unpackArchives } from './unpack-archives.ts'
import type { UnpackOptions } from './unpack-options.ts'
import type { UnpackReport } from './unpack-report.ts'

/** How to unpack an image. */
export interface UnpackImageOptions extends UnpackOptions {
  /** Platform to take from an index. @defaultValue linux on this machine's processor */
  readonly platform?: Platform | undefined
}

/**
 * Writes the root filesystem of an image to a directory, which must be empty or not there; see {@link unpackLayers}.
 *
 * @param image - A name, a digest, a descriptor, or what `readImage` gave.
 * @throws as `readImage` and {@link unpackLayers}.
 */
export async function unpackImage(
  store: Store,
  image: string | Descriptor | Image,
  directory: string,
  options: UnpackImageOptions = {},
): Promise<UnpackReport> {
  const read = isImage(image) ? image : await readImage(store, image, options)
  return unpackLayers(store, read.layers, directory, options)
}

/**
 * Writes layers, lowest first, to a directory: files, directories, links and devices with their owners, modes, times and
 * extended attributes, whiteouts applied.
 *
 * Nothing can be seen in the directory until every layer was read to its end and has its diffId. If the call fails or is
 * aborted, what it made is removed; what could not be removed is told to {@link UnpackOptions.onLeft}. What the system or
 * the options do not allow to be applied is listed in the report, never lost without a word. Times are kept to the
 * microsecond. Nothing is synced to the disk. Memory grows with the number of names in one layer, not with sizes.
 *
 * No layer can reach anything outside the directory: links are resolved inside it and metadata is never applied through
 * one. On Linux that holds against other processes as well, elsewhere only if none changes the tree meanwhile.
 *
 * Each layer is opened once. All of them are opened again, twice each, if a layer has whiteouts whose effect is only certain
 * before its first entry; with `overwrite`, every layer is opened twice.
 *
 * @throws {@link RootfsError} `ERR_TARGET_NOT_EMPTY`, `ERR_UNSAFE_PATH`, `ERR_INVALID_LINK`, `ERR_INVALID_WHITEOUT`,
 * `ERR_NOT_A_DIRECTORY`, `ERR_TOO_MANY_LINKS`, `ERR_UNSUPPORTED_ENTRY`, `ERR_UNPACK` if the system refuses.
 * @throws {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`; {@link FormatError} and {@link LimitError} as `readLayer`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets | image-spec: applying changesets}
 */
export async function unpackLayers(
  store: Store,
  layers: readonly ImageLayer[],
  directory: string,
  options: UnpackOptions = {},
): Promise<UnpackReport> {
  const { signal, hasher, maxLayerBytes: maxBytes, limits } = options
  const sources = layers.map(({ descriptor, diffId }) => ({
    name: diffId,
    open: () => readLayerTar(store, descriptor, { ...limits, diffId, signal, hasher, maxBytes }),
    explain: (error: unknown) => layerFault(store, descriptor, error, { signal }),
  }))
  return unpackArchives(sources, directory, options)
}

function isImage(image: string | Descriptor | Image): image is Image {
  return typeof image === 'object' && 'layers' in image
}
