import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader, DerivedStore } from '../store/index.ts'
import { decodeIndex } from './indexing/decode-index.ts'
import { keepIndex } from './indexing/keep-index.ts'
import type { LayerIndex } from './layer-index.ts'
import { proveLayer } from './prove-layer.ts'
import type { LayerLimits } from './reading/layer-limits.ts'

/** Options of {@link readLayerIndex}. */
export interface ReadLayerIndexOptions extends AbortOptions, LayerLimits {
  /** Make the index again even if the store has it. @defaultValue `false` */
  readonly rebuild?: boolean | undefined
  /** Hash engine. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** Members of a store that {@link readLayerIndex} needs. */
export type IndexingStore = Pick<BlobReader, 'read'> & {
  /** Derived data: keeps the index. */
  readonly derived: DerivedStore
}

/**
 * Resolves to the entry index of a stored layer, without content. If the store has the index, the layer is not opened.
 * Otherwise the layer is decompressed once and verified against its diffId, and the index is kept.
 *
 * An index from the store is protected against damage, not against forgery: a process that can write to the store can
 * replace it. Content that is read through an index is verified again.
 *
 * @example
 * ```ts
 * const { entries } = await readLayerIndex(store, layer)
 * const largest = entries.toSorted((a, b) => b.size - a.size).slice(0, 10)
 * ```
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
