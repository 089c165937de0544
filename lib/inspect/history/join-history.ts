import { FormatError } from '../../errors/index.ts'
import type { Image } from '../../image/index.ts'
import type { HistoryEntry } from '../../oci/index.ts'

/** An entry of the history, and the index of the layer that it made. */
export interface JoinedEntry {
  /** Entry of the config; empty for a layer that no entry describes. */
  readonly entry: HistoryEntry
  /** Index of the layer, from 0 for the lowest. */
  readonly layer: number | undefined
}

/**
 * Pairs the history of an image with its layers.
 *
 * SPEC: every entry without `empty_layer` made the next layer (config.md, history).
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` if there are more such entries than layers.
 */
export function joinHistory({ config, layers }: Pick<Image, 'config' | 'layers'>): readonly JoinedEntry[] {
  let next = 0
  const joined = (config.history ?? []).map((entry): JoinedEntry => {
    return { entry, layer: entry.empty_layer ? undefined : next++ }
  })
  if (next > layers.length) {
    const message = `the history names ${next} layers, the image has ${layers.length}`
    throw new FormatError('ERR_INVALID_CONFIG', message, { at: 'history' })
  }
  while (next < layers.length) joined.push({ entry: {}, layer: next++ })
  return joined
}

/**
 * Returns the command that made each layer, lowest layer first; `undefined` where the history does not tell.
 *
 * @internal
 */
export function commandsOfLayers(image: Pick<Image, 'config' | 'layers'>): readonly (string | undefined)[] {
  return joinHistory(image).flatMap(({ entry, layer }) => (layer === undefined ? [] : [entry.created_by]))
}
