import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader } from '../store/index.ts'
import type { LayerIndex } from './layer-index.ts'
import { layerFault } from './reading/layer-fault.ts'
import type { LayerLimits } from './reading/layer-limits.ts'
import { LayerProof, layerBlob } from './reading/layer-proof.ts'

/** What a layer must be, and how it is opened. */
export interface ProveLayerOptions extends AbortOptions, LayerLimits {
  /** Digest that the tar must have; without it the digest is only told. */
  readonly diffId?: Digest | undefined
  /** What computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** What a layer turned out to be. */
export interface LayerFindings {
  /** Digest of the tar. */
  readonly diffId: Digest
  /** Every entry, with the digests of files; not kept anywhere yet. */
  readonly index: LayerIndex
}

/**
 * What a stored layer is: its diffId and its entry index, in one decompression.
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

/** The same of a layer whose compressed bytes come from somewhere else, and are proven there. */
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
