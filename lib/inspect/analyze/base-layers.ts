import { isDigest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import { type Image, readImage } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import { Annotation } from '../../oci/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import type { AnalysedBase } from './image-analysis.ts'

/** Finds out how many of the lowest layers belong to the base of an image. */
export async function baseLayers(
  store: ViewStore,
  image: Image,
  options: AbortOptions & { readonly base?: Image | number | undefined },
): Promise<AnalysedBase> {
  const { base, signal } = options
  if (typeof base === 'number') {
    const isCount = Number.isInteger(base) && base >= 0 && base <= image.layers.length
    if (!isCount) throw invalidArgument('base', `a number of layers from 0 to ${image.layers.length}`, base)
    return baseOf(image, base, 'option')
  }
  if (base) return baseOf(image, sharedLayers(image, base), 'option')
  const digest = image.manifest.annotations?.[Annotation.BaseDigest]
  const named = digest !== undefined && isDigest(digest) ? await findImage(store, digest, { signal }) : undefined
  const shared = named ? sharedLayers(image, named) : 0
  if (shared > 0) return baseOf(image, shared, 'annotation')
  return baseOf(image, Math.min(1, image.layers.length), 'first-layer')
}

function baseOf(image: Image, layers: number, from: AnalysedBase['from']): AnalysedBase {
  const blobBytes = image.layers.slice(0, layers).reduce((bytes, { descriptor }) => bytes + descriptor.size, 0)
  return { layers, from, blobBytes }
}

function sharedLayers(image: Image, base: Image): number {
  const differs = base.layers.findIndex(({ diffId }, i) => image.layers[i]?.diffId !== diffId)
  return differs < 0 ? base.layers.length : differs
}

/** Reads the base, if the store has it: whether it does is no fault of the image. */
async function findImage(store: ViewStore, digest: string, options: AbortOptions): Promise<Image | undefined> {
  try {
    return await readImage(store, digest, options)
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
    return undefined
  }
}
