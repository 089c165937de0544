import type { HasherEngine } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { type Image, type ReadImageOptions, readImage } from '../../image/index.ts'
import { readLayerIndex } from '../../layer/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { TarLimits } from '../../tar/index.ts'
import type { UnionView, ViewLayer, ViewWarning } from '../union-view.ts'
import { LayerStack } from './layer-stack.ts'
import { StackedView } from './stacked-view.ts'

/** How to open a view. */
export interface OpenUnionViewOptions extends ReadImageOptions {
  /** Entries that all layers together may have; a million take about 600 MB. @defaultValue `2_000_000` */
  readonly maxEntries?: number | undefined
  /** Bytes that the tar of one layer may have, where its index must be made. @defaultValue no limit */
  readonly maxLayerBytes?: number | undefined
  /** What else one layer may hold, where its index must be made. @defaultValue those of `readLayerIndex` */
  readonly limits?: Omit<TarLimits, 'maxBytes' | 'maxEntries'> | undefined
  /** What to do with a path that stands twice in a layer: `last` takes the last entry. @defaultValue `'last'` */
  readonly duplicates?: 'last' | 'refuse' | undefined
  /** What computes digests, where an index must be made. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/** What a view can be opened over: a name, a digest, a descriptor, what `readImage` gave, or layers, lowest first. */
export type ViewSource = string | Descriptor | Image | readonly ViewLayer[]

/**
 * Stacks layers into one view of the root filesystem they make. Layers whose index the store has are not opened; the
 * others are decompressed once. Memory grows with the number of entries and with nothing else.
 *
 * Whiteouts hide lower layers only, wherever they stand in their layer; links are resolved inside the root, hard links
 * in what the layers up to theirs have made. A path that stands twice in one layer is taken from its last entry, and
 * reported.
 *
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT`, `ERR_INVALID_LINK`, `ERR_NOT_A_DIRECTORY`, `ERR_TOO_MANY_LINKS`,
 * `ERR_UNSAFE_PATH`, each with the layer; {@link LimitError} `ERR_LIMIT_EXCEEDED`; as `readImage` and `readLayerIndex`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets | image-spec: applying changesets}
 */
export async function openUnionView(
  store: Store,
  source: ViewSource,
  options: OpenUnionViewOptions = {},
): Promise<UnionView> {
  const { signal, hasher, limits, maxEntries = 2_000_000, maxLayerBytes: maxBytes } = options
  const reading = { ...limits, signal, hasher, maxBytes, maxEntries }
  const layers = await layersOf(store, source, options)
  const stack = new LayerStack(maxEntries)
  const warnings: ViewWarning[] = []
  for (const [layer, { descriptor, diffId }] of layers.entries()) {
    signal?.throwIfAborted()
    const index = await readLayerIndex(store, { descriptor, diffId }, reading)
    if (index.duplicates.length > 0 && options.duplicates === 'refuse') {
      const path = JSON.stringify(index.duplicates[0])
      throw new FormatError('ERR_INVALID_TAR', `path ${path} stands twice in layer ${diffId}`)
    }
    for (const path of index.duplicates) warnings.push({ code: 'duplicate-path', path, layer })
    stack.add(index)
  }
  return new StackedView({ store, layers, stack, warnings })
}

/** The layers of whatever a view can be opened over. */
export async function layersOf(
  store: Store,
  source: ViewSource,
  options: ReadImageOptions,
): Promise<readonly ViewLayer[]> {
  if (Array.isArray(source)) return [...(source as readonly ViewLayer[])]
  if (typeof source === 'object' && 'layers' in source) return source.layers
  return (await readImage(store, source as string | Descriptor, options)).layers
}
