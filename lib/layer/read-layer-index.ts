import { createStreamDigester, type Digest, type HasherEngine, splitDigest } from '../digest/index.ts'
import { DiffIdMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../spec/index.ts'
import type { BlobReader, DerivedStore } from '../store/index.ts'
import { decodeIndex } from './indexing/decode-index.ts'
import { encodeIndex } from './indexing/encode-index.ts'
import { LayerIndexer } from './indexing/layer-indexer.ts'
import type { LayerIndex } from './layer-index.ts'
import { openLayer } from './open-layer.ts'
import type { LayerLimits } from './read-layer.ts'

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
  const index = await makeIndex(store, layer, options)
  await keepIndex(store, index, { signal })
  return index
}

/** Keeps an index for whoever asks for it next. */
export async function keepIndex(
  store: {
    /** Where derived data is kept. */
    readonly derived: DerivedStore
  },
  index: LayerIndex,
  options: AbortOptions,
): Promise<void> {
  await store.derived.set('indexes', index.diffId, encodeIndex(index), options)
}

async function makeIndex(
  store: IndexingStore,
  { descriptor, diffId }: { readonly descriptor: Descriptor; readonly diffId: Digest },
  options: ReadLayerIndexOptions,
): Promise<LayerIndex> {
  const { hasher } = options
  const indexer = new LayerIndexer(hasher, options)
  const digester = await createStreamDigester({ ...splitDigest(diffId), hasher })
  try {
    for await (const chunk of openLayer(store, descriptor, { ...options, diffId })) {
      await digester.update(chunk)
      await indexer.take(chunk)
    }
    const actual = await digester.digest()
    if (actual !== diffId) throw new DiffIdMismatchError({ layer: descriptor.digest, expected: diffId, actual })
    return indexer.finish(diffId)
  } finally {
    digester.release()
    indexer.release()
  }
}
