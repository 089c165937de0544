import type { HasherEngine } from '../digest/index.ts'
import { type Image, type ReadImageOptions, readImage } from '../image/index.ts'
import type { Descriptor } from '../oci/index.ts'
import type { OpenUnionViewOptions, ViewStore } from '../rootfs/index.ts'

/** Image to look into: a name, a digest, a descriptor, or the result of `readImage`. */
export type InspectedSource = string | Descriptor | Image

/** Options of every function that looks into an image. */
export interface InspectionOptions extends ReadImageOptions {
  /** Engine that computes the digests of layers that must be indexed. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Limits on layers that must be indexed. @defaultValue those of `readLayerIndex` */
  readonly limits?: OpenUnionViewOptions['limits']
}

/** Resolves to the image of a source. */
export async function readSource(
  store: ViewStore,
  source: InspectedSource,
  options: InspectionOptions,
): Promise<Image> {
  if (typeof source === 'object' && source !== null && 'layers' in source) return source
  return readImage(store, source, options)
}
