import type { HasherEngine } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { type Image, type NamedBlobs, type ReadImageOptions, readImage } from '../../image/index.ts'
import { type LayerIndex, readLayerIndex } from '../../layer/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { TarLimits } from '../../tar/index.ts'
import type { UnionView, ViewLayer, ViewWarning } from '../union-view.ts'
import { LayerStack } from './layer-stack.ts'
import { StackedView } from './stacked-view.ts'

/** Options of {@link openUnionView}. */
export interface OpenUnionViewOptions extends ReadImageOptions {
  /**
   * Maximum number of entries of all layers together, including directories without an entry; a million take about 600
   * MB. @defaultValue `2_000_000`
   */
  readonly maxEntries?: number | undefined
  /** Maximum uncompressed size in bytes of a layer that must be indexed. @defaultValue no limit */
  readonly maxLayerBytes?: number | undefined
  /** Other limits on a layer that must be indexed. @defaultValue those of `readLayerIndex` */
  readonly limits?: Omit<TarLimits, 'maxBytes' | 'maxEntries'> | undefined
  /** Handling of duplicate paths in a layer: `last` takes the last entry. @defaultValue `'last'` */
  readonly duplicates?: 'last' | 'refuse' | undefined
  /** Engine that computes the digests of a layer that must be indexed. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Is called with the entry index of each layer, lowest first, so that a caller need not decode it again. */
  readonly onIndex?: ((index: LayerIndex) => void) | undefined
}

/** Members of a store that {@link openUnionView} needs. `derived` keeps the indexes of layers. */
export type ViewStore = NamedBlobs & Pick<Store, 'derived'>

/** Source of a view: a name, a digest, a descriptor, the result of `readImage`, or layers, lowest first. */
export type ViewSource = string | Descriptor | Image | readonly ViewLayer[]

/**
 * Opens a view of the root filesystem of stacked layers. Layers whose index is in the store are not opened; other
 * layers are decompressed once. Memory grows with the number of entries only.
 *
 * Whiteouts hide lower layers only, at any position in their layer. Links are resolved inside the root; targets of hard
 * links in the lower layers and the earlier entries. Of a duplicate path in one layer the last entry counts, and the
 * view reports it.
 *
 * @example
 * ```ts
 * const view = await openUnionView(store, 'app:1.0')
 * for await (const chunk of view.read('etc/os-release')) process.stdout.write(chunk)
 * ```
 *
 * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT`, `ERR_INVALID_LINK`, `ERR_NOT_A_DIRECTORY`, `ERR_TOO_MANY_LINKS`,
 * `ERR_UNSAFE_PATH`, each with the layer; {@link LimitError} `ERR_LIMIT_EXCEEDED`; the errors of `readImage` and
 * `readLayerIndex`.
 * @see
 * {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets | image-spec: applying changesets}
 */
export async function openUnionView(
  store: ViewStore,
  source: ViewSource,
  options: OpenUnionViewOptions = {},
): Promise<UnionView> {
  return stackView(store, await layersOf(store, source, options), options)
}

/**
 * Opens a view of layers.
 *
 * @param below - View of the lowest of these layers, whose indexes are not read again.
 */
export async function stackView(
  store: ViewStore,
  layers: readonly ViewLayer[],
  options: OpenUnionViewOptions,
  below?: StackedView,
): Promise<StackedView> {
  const { signal, hasher, limits, maxEntries = 2_000_000, maxLayerBytes: maxBytes } = options
  const reading = { ...limits, signal, hasher, maxBytes, maxEntries }
  const stack = new LayerStack(maxEntries, below?.stack)
  const warnings: ViewWarning[] = [...(below?.warnings ?? [])]
  for (const [layer, { descriptor, diffId }] of layers.entries()) {
    if (below && layer < below.layers.length) continue
    signal?.throwIfAborted()
    const index = await readLayerIndex(store, { descriptor, diffId }, reading)
    if (index.duplicates.length > 0 && options.duplicates === 'refuse') {
      const path = JSON.stringify(index.duplicates[0])
      throw new FormatError('ERR_INVALID_TAR', `path ${path} stands twice in layer ${diffId}`)
    }
    for (const path of index.duplicates) warnings.push({ code: 'duplicate-path', path, layer })
    options.onIndex?.(index)
    stack.add(index)
  }
  return new StackedView({ store, layers, stack, warnings })
}

/** Resolves to the layers of a view's source. */
export async function layersOf(
  store: NamedBlobs,
  source: ViewSource,
  options: ReadImageOptions,
): Promise<readonly ViewLayer[]> {
  if (Array.isArray(source)) return [...(source as readonly ViewLayer[])]
  if (typeof source === 'object' && source !== null && 'layers' in source) return source.layers
  return (await readImage(store, source as string | Descriptor, options)).layers
}
