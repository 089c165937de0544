import { FormatError } from '../errors/index.ts'
import { Guard, isAbsent, member } from './guards.ts'
import { checkConfig } from './image-config.ts'
import type { ImageManifest } from './image-manifest.ts'
import { isConfigType, isLayerType } from './media-types.ts'

/** The numbers of layers of an image whose config and manifest disagree. */
export interface LayerDisagreement {
  /** Number of diffIDs in the config. */
  readonly listed: number
  /** Number of layers in the manifest. */
  readonly layers: number
}

/**
 * True if a manifest describes an image, so that its config has to agree with it. An artifact may use the media type of
 * an image config, so all layers must have a layer media type too.
 */
export function isImageManifest({ config, layers }: ImageManifest): boolean {
  return isConfigType(config.mediaType) && layers.every(({ mediaType }) => isLayerType(mediaType))
}

/**
 * Compares the number of layers in the config of an image with that in its manifest. A config without a list of layers,
 * or that cannot be parsed, is not compared: the acts that read the image reject it.
 *
 * @returns the numbers if they differ, else `undefined`; also `undefined` if {@link isImageManifest} is false.
 */
export function findLayerDisagreement(manifest: ImageManifest, config: Uint8Array): LayerDisagreement | undefined {
  if (!isImageManifest(manifest)) return undefined
  const listed = listedLayers(config)
  const layers = manifest.layers.length
  return listed === undefined || listed === layers ? undefined : { listed, layers }
}

/**
 * Rejects an image whose config and manifest list different numbers of layers: it cannot be unpacked.
 *
 * @throws `FormatError` `ERR_INVALID_CONFIG`.
 */
export function assertLayersAgree(manifest: ImageManifest, config: Uint8Array): void {
  const found = findLayerDisagreement(manifest, config)
  if (!found) return
  const message = `image config ${manifest.config.digest} lists ${found.listed} layers, its manifest ${found.layers}`
  throw new FormatError('ERR_INVALID_CONFIG', message, { at: 'rootfs.diff_ids' })
}

function listedLayers(bytes: Uint8Array): number | undefined {
  try {
    const guard = new Guard('ERR_INVALID_CONFIG', 'image config')
    const document = guard.parse(bytes)
    const { rootfs } = checkConfig(guard, document)
    const hasList = !isAbsent(member(guard.object(member(document, 'rootfs'), 'rootfs'), 'diff_ids'))
    return hasList ? rootfs.diff_ids.length : undefined
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
