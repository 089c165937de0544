import { FormatError } from '../errors/index.ts'
import { Guard, isAbsent, member } from './guards.ts'
import { checkConfig } from './image-config.ts'
import type { ImageManifest } from './image-manifest.ts'
import { isConfigType, isLayerType } from './media-types.ts'

/** An image whose config lists another number of layers than its manifest. */
export interface LayerDisagreement {
  /** Number of diffIDs in the config. */
  readonly listed: number
  /** Number of layers in the manifest. */
  readonly layers: number
}

/**
 * Whether a manifest says that it is that of an image, so that its config has to agree with it. Artifacts borrow the type
 * of image configs; a manifest with layers of other types than images have is one of an artifact.
 */
export function isImageManifest({ config, layers }: ImageManifest): boolean {
  return isConfigType(config.mediaType) && layers.every(({ mediaType }) => isLayerType(mediaType))
}

/**
 * Compares the number of layers that the config of an image lists with that of its manifest. A config that has no list at
 * all, or that is no image config, says nothing about layers: whatever reads the image refuses it then.
 *
 * @returns the numbers if they differ, else `undefined`; also for manifests that {@link isImageManifest} says no of.
 */
export function findLayerDisagreement(manifest: ImageManifest, config: Uint8Array): LayerDisagreement | undefined {
  if (!isImageManifest(manifest)) return undefined
  const listed = listedLayers(config)
  const layers = manifest.layers.length
  return listed === undefined || listed === layers ? undefined : { listed, layers }
}

/**
 * Refuses an image whose config lists another number of layers than its manifest: nothing could unpack it.
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
