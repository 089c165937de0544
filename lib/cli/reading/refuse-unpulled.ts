import type { ReadImageOptions } from '../../image/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { refuseMissingLayers } from './refuse-missing-layers.ts'

/** Options of {@link refuseUnpulled}. */
export interface UnpulledOptions extends ReadImageOptions {
  readonly signal: AbortSignal
  /** Manifest that the name must still mean; the name is not looked at if it means another. */
  readonly descriptor?: Descriptor
}

/**
 * Refuses an image of a name whose layers were left in a registry, before it is run: the message says where they are.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` with `source`; the errors of `readImage`.
 */
export async function refuseUnpulled(
  store: Store,
  name: string,
  { descriptor, ...options }: UnpulledOptions,
): Promise<void> {
  const { readImage } = await import('../../image/index.ts')
  const image = await readImage(store, name, options)
  if (descriptor && descriptor.digest !== image.descriptor.digest) return
  await refuseMissingLayers(store, image, options.signal)
}
