import { defaultCreated, type Image, recomposeImage } from '../image/index.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import type { HistoryEntry } from '../oci/index.ts'
import type { Store } from '../store/index.ts'
import { type LayerRun, runsOf, type SquashLayersOptions, squashLayers } from './squash-layers.ts'

/** Options of {@link squashImage}. */
export interface SquashImageOptions extends Omit<SquashLayersOptions, 'platform'> {
  /** Time of the new history entry, RFC 3339. @defaultValue `SOURCE_DATE_EPOCH`, else the start of 1970 */
  readonly created?: string | undefined
}

/**
 * Squashes layers of an image as {@link squashLayers} does, all of them by default, and returns the image that has the
 * new layers. Its root filesystem and its run configuration stay the same. In the history, the steps of the squashed
 * layers stay and are marked as without a layer; an entry after them describes the new layer. The image gets no name.
 *
 * @example
 * ```ts
 * const flat = await squashImage(store, await readImage(store, 'app:1.0'))
 * await store.references.set('app:1.0-flat', flat.descriptor)
 * ```
 *
 * @throws the errors of {@link squashLayers}.
 */
export async function squashImage(store: Store, image: Image, options: SquashImageOptions = {}): Promise<Image> {
  assertOptions(options)
  const { created, ...squashing } = options
  await using _lease = await store.leases.hold({ label: 'squash an image', signal: options.signal })
  const { layers } = await squashLayers(store, image.descriptor, squashing)
  const { history, ...kept } = image.config
  const runs = runsOf(options.layers, image.layers.length)
  const squashed = squashedHistory(history ?? [], runs, image.layers.length, created ?? defaultCreated())
  const config = {
    ...kept,
    rootfs: { type: 'layers' as const, diff_ids: layers.map(({ diffId }) => diffId) },
    ...(squashed ? { history: squashed } : {}),
  }
  return recomposeImage(store, image, { config, layers, signal: options.signal })
}

/** `undefined` if the history does not describe the layers: what it says of the new ones would not be true either. */
function squashedHistory(
  history: readonly HistoryEntry[],
  runs: readonly LayerRun[],
  count: number,
  created: string,
): readonly HistoryEntry[] | undefined {
  if (history.filter(entry => !entry.empty_layer).length !== count) return undefined
  let layer = -1
  return history.flatMap(entry => {
    if (entry.empty_layer) return [entry]
    layer++
    const run = runs.find(({ from, to }) => from <= layer && layer <= to)
    if (!run) return [entry]
    const step = { ...entry, empty_layer: true }
    return layer === run.to ? [step, { created, created_by: 'layerstore squash', comment: squashNote(run) }] : [step]
  })
}

function squashNote({ from, to }: LayerRun): string {
  return from === to ? '1 layer written again' : `${to - from + 1} layers squashed`
}
