import { FormatError } from '../../errors/index.ts'
import type { HistoryEntry } from '../../oci/index.ts'
import type { Image, ImageLayer } from '../read-image.ts'

/** Layers and history of an image from which layers were removed. */
export interface RemainingLayers {
  /** Layers that stay, lowest first. */
  readonly layers: readonly ImageLayer[]
  /** History without the steps of the removed layers; `undefined` if the history does not describe the layers. */
  readonly history: readonly HistoryEntry[] | undefined
}

/**
 * Removes layers from an image, with the steps of its history that made them. Pure.
 *
 * @param drop - Indexes of the layers, counted from 0, the lowest first.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an index without a layer.
 */
export function dropLayers({ layers, config }: Image, drop: readonly number[]): RemainingLayers {
  for (const index of drop) {
    if (Number.isInteger(index) && index >= 0 && index < layers.length) continue
    throw new FormatError('ERR_INVALID_ARGUMENT', `no layer ${index}: the image has ${layers.length}, counted from 0`)
  }
  const dropped = new Set(drop)
  return {
    layers: layers.filter((_, i) => !dropped.has(i)),
    history: historyWithout(config.history ?? [], layers.length, dropped),
  }
}

function historyWithout(
  history: readonly HistoryEntry[],
  count: number,
  dropped: ReadonlySet<number>,
): readonly HistoryEntry[] | undefined {
  if (history.filter(entry => !entry.empty_layer).length !== count) return undefined
  let layer = 0
  return history.filter(entry => entry.empty_layer || !dropped.has(layer++))
}
