import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader } from '../store/index.ts'
import type { LayerIndex } from './layer-index.ts'
import { layerFault } from './reading/layer-fault.ts'
import type { LayerLimits } from './reading/layer-limits.ts'
import { LayerProof, layerBlob } from './reading/layer-proof.ts'

/** Options of {@link proveLayer}. */
export interface ProveLayerOptions extends AbortOptions, LayerLimits {
  /** Expected digest of the tar; without it the digest is reported unchecked. */
  readonly diffId?: Digest | undefined
  /** Hash engine. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** Result of {@link proveLayer}. */
export interface LayerFindings {
  /** Digest of the tar. */
  readonly diffId: Digest
  /** All entries, with the digests of files; not stored yet. */
  readonly index: LayerIndex
}

/**
 * Resolves to the diffId and the entry index of a stored layer, in one decompression.
 *
 * @throws as `readLayer`.
 */
export async function proveLayer(
  store: Pick<BlobReader, 'read'>,
  descriptor: Descriptor,
  options: ProveLayerOptions = {},
): Promise<LayerFindings> {
  try {
    return await examine(layerBlob(store, descriptor, options), descriptor, options)
  } catch (error) {
    throw options.diffId ? await layerFault(store, descriptor, error, options) : error
  }
}

/** Like `proveLayer`, for compressed bytes from another source, which verifies them itself. */
export async function examine(
  blob: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  options: ProveLayerOptions,
): Promise<LayerFindings> {
  const proof = await LayerProof.open(blob, descriptor, { ...options, index: true })
  try {
    for await (const _ of proof.tar()) void _
    return (await proof.check()) as LayerFindings
  } finally {
    proof.release()
  }
}
