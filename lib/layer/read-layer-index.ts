import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader, DerivedStore } from '../store/index.ts'
import { decodeIndex } from './indexing/decode-index.ts'
import { keepIndex } from './indexing/keep-index.ts'
import type { LayerIndex } from './layer-index.ts'
import { proveLayer } from './prove-layer.ts'
import type { LayerLimits } from './reading/layer-limits.ts'

/** How to read the index of a layer. */
export interface ReadLayerIndexOptions extends AbortOptions, LayerLimits {
  /** Make the index again, also if the store has it. @defaultValue `false` */
  readonly rebuild?: boolean | undefined
  /** What computes digests. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** What {@link readLayerIndex} needs of a store. */
export type IndexingStore = Pick<BlobReader, 'read'> & {
  /** Where derived data is kept. */
  readonly derived: DerivedStore
}

/**
 * What a stored layer holds, without its content. If the store has the index, the layer is not opened. If not, it is
 * decompressed once, proven against its diffId, and the index is kept for the next time.
 *
 * An index that comes from the store is as trustworthy as whoever can write there: it is protected against damage, not
 * against forgery. What is read by means of it is proven again.
 *
 * @throws as {@link readLayer}, if the index must be made.
 */
export async function readLayerIndex(
  store: IndexingStore,
  layer: { readonly descriptor: Descriptor; readonly diffId: Digest },
  options: ReadLayerIndexOptions = {},
): Promise<LayerIndex> {
  const { signal } = options
  const { diffId } = layer
  const kept = options.rebuild ? undefined : await store.derived.get('indexes', diffId, { signal })
  const found = kept && decodeIndex(kept, diffId)
  if (found) return found
  const { index } = await proveLayer(store, layer.descriptor, { ...options, diffId })
  await keepIndex(store.derived, index, { signal })
  return index
}
