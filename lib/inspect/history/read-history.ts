import type { Digest } from '../../digest/index.ts'
import { type LayerIndex, readLayerIndex } from '../../layer/index.ts'
import type { Descriptor, HistoryEntry } from '../../oci/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import { type InspectedSource, type InspectionOptions, readSource } from '../read-source.ts'
import { joinHistory } from './join-history.ts'
import { unpackedSize } from './unpacked-size.ts'

/** Options of {@link readHistory}. */
export interface ReadHistoryOptions extends InspectionOptions {
  /**
   * Resolve to the unpacked size of each layer too. Layers that are not indexed are decompressed once.
   * @defaultValue `true`
   */
  readonly sizes?: boolean | undefined
}

/** Layer of a step. */
export interface HistoryLayer {
  /** Index of the layer in the image, from 0 for the lowest. */
  readonly index: number
  /** Descriptor of the stored layer; its `size` is that of the compressed blob in bytes. */
  readonly descriptor: Descriptor
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
  /** Size of the layer when it is unpacked, in bytes, as `docker history` counts it; absent with `sizes: false`. */
  readonly size?: number
}

/** One step of an image: an entry of the history in the config, joined with its layer. */
export interface HistoryStep extends Omit<HistoryEntry, 'empty_layer'> {
  /** Layer that the step made; absent for a step that changed only the config. */
  readonly layer?: HistoryLayer
}

/**
 * Resolves to the steps of an image, oldest first, each with the layer that it made. Layers without an entry in the
 * history, as tools that append layers leave them, are steps of their own at the end.
 *
 * @example
 * ```ts
 * for (const { created_by, layer } of await readHistory(store, 'app:1.0')) console.log(layer?.size ?? 0, created_by)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` if the history names more layers than the image has; the errors of
 * `readImage`; with `sizes` those of `readLayerIndex`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md | image-spec: config, history}
 */
export async function readHistory(
  store: ViewStore,
  source: InspectedSource,
  options: ReadHistoryOptions = {},
): Promise<readonly HistoryStep[]> {
  const { signal, hasher, limits } = options
  const image = await readSource(store, source, options)
  const sizes: (number | undefined)[] = []
  for (const { descriptor, diffId } of options.sizes === false ? [] : image.layers) {
    signal?.throwIfAborted()
    const index: LayerIndex = await readLayerIndex(store, { descriptor, diffId }, { ...limits, signal, hasher })
    sizes.push(unpackedSize(index))
  }
  return joinHistory(image).map(({ entry, layer }) => {
    const { empty_layer: _, ...step } = entry
    if (layer === undefined) return step
    const size = sizes[layer]
    const { descriptor, diffId } = image.layers[layer]!
    return { ...step, layer: { index: layer, descriptor, diffId, ...(size === undefined ? {} : { size }) } }
  })
}
