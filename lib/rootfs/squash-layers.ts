import { FormatError } from '../errors/index.ts'
import type { ReadImageOptions } from '../image/index.ts'
import { readLayerIndex, type WriteLayerOptions, type WrittenLayer, writeLayer } from '../layer/index.ts'
import type { Store } from '../store/index.ts'
import type { TarInput } from '../tar/index.ts'
import { squashedEntries } from './squash/squashed-entries.ts'
import type { ViewLayer } from './union-view.ts'
import { layersOf, type ViewSource } from './view/open-union-view.ts'

/** Options of {@link squashLayers}. */
export interface SquashLayersOptions extends ReadImageOptions, Omit<WriteLayerOptions, 'annotations' | 'onProgress'> {
  /**
   * The layers to squash: `from` to `to`, both included and counted from 0, or a list of indexes. In a list, each run
   * of adjacent layers becomes one layer. @defaultValue all of them
   */
  readonly layers?:
    | {
        /** Index of the first layer, counted from 0. */
        readonly from: number
        /** Index of the last layer, included. */
        readonly to: number
      }
    | readonly number[]
    | undefined
}

/** Result of {@link squashLayers}. */
export interface SquashedLayers {
  /** All layers of the image, lowest first, with the new layers in place of the squashed ones. */
  readonly layers: readonly ViewLayer[]
  /** The new layers, lowest first. */
  readonly written: readonly WrittenLayer[]
}

/**
 * Squashes adjacent layers into one, so that the root filesystem of the image stays the same. Paths that one of the
 * layers adds and another deletes or replaces are omitted; whiteouts of paths in lower layers stay. The new layer fits
 * only on the layers below it: on other layers it may show paths that the original layers would have hidden. Each layer
 * is decompressed once; memory grows with the number of entries.
 *
 * @example
 * ```ts
 * const { layers } = await squashLayers(store, 'app:1.0', { layers: { from: 1, to: 3 } })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an index without a layer; the errors of `openUnionView`,
 * `readLayer` and `writeLayer`.
 */
export async function squashLayers(
  store: Store,
  source: ViewSource,
  options: SquashLayersOptions = {},
): Promise<SquashedLayers> {
  const all = await layersOf(store, source, options)
  // The lease protects the old layers and the new ones until all are written.
  await using _lease = await store.leases.hold({
    label: 'squash layers',
    digests: all.map(({ descriptor }) => descriptor.digest),
    signal: options.signal,
  })
  const written: WrittenLayer[] = []
  const layers: ViewLayer[] = []
  let next = 0
  for (const { from, to } of runsOf(options.layers, all.length)) {
    layers.push(...all.slice(next, from))
    const layer = await writeLayer(store, await entriesOf(store, all, { from, to }, options), writeOptions(options))
    layers.push({ descriptor: layer.descriptor, diffId: layer.diffId })
    written.push(layer)
    next = to + 1
  }
  return { layers: [...layers, ...all.slice(next)], written }
}

function writeOptions({ compression, level, hasher, index, signal }: SquashLayersOptions): WriteLayerOptions {
  return { compression, level, hasher, index, signal }
}

/** Adjacent layers that become one. */
export interface LayerRun {
  /** Index of the first layer, counted from 0. */
  readonly from: number
  /** Index of the last layer, included. */
  readonly to: number
}

/** The runs of adjacent layers among the chosen ones. */
export function runsOf(chosen: SquashLayersOptions['layers'], count: number): LayerRun[] {
  const places = placesOf(chosen ?? { from: 0, to: count - 1 })
  const runs: { from: number; to: number }[] = []
  for (const place of [...new Set(places)].sort((a, b) => a - b)) {
    if (!Number.isInteger(place) || place < 0 || place >= count) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `no layer ${place}: the image has ${count}, counted from 0`)
    }
    const last = runs.at(-1)
    if (last && last.to === place - 1) last.to = place
    else runs.push({ from: place, to: place })
  }
  if (runs.length === 0) throw new FormatError('ERR_INVALID_ARGUMENT', 'no layers to squash')
  return runs
}

function placesOf(chosen: NonNullable<SquashLayersOptions['layers']>): readonly number[] {
  if (!('from' in chosen)) return chosen
  const { from, to } = chosen
  if (!Number.isInteger(from) || !Number.isInteger(to) || to - from > 10_000) return [Number.NaN]
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

async function entriesOf(
  store: Store,
  all: readonly ViewLayer[],
  run: LayerRun,
  options: SquashLayersOptions,
): Promise<AsyncIterable<TarInput>> {
  const { signal, hasher } = options
  const layers = all.slice(0, run.to + 1)
  const indexes = []
  for (const layer of layers) indexes.push(await readLayerIndex(store, layer, { signal, hasher }))
  return squashedEntries(store, { layers, indexes, from: run.from }, { signal, hasher })
}
