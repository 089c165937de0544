import type { AbortOptions } from '../../internal/abort.ts'
import { assertMembers, assertOptions } from '../../internal/assert-kind.ts'
import { asPlatform, type HistoryEntry, type ImageConfig, type Platform } from '../../oci/index.ts'
import { assertStore, type Store } from '../../store/index.ts'
import { defaultCreated } from '../compose-config.ts'
import type { NewLayer } from '../compose-image.ts'
import type { Image } from '../read-image.ts'
import { dropLayers } from './drop-layers.ts'
import { type ConfigEdits, editConfig, historyOfEdits } from './edit-config.ts'
import { recomposeImage } from './recompose-image.ts'

/** Options of {@link editImage}. */
export interface EditImageOptions extends AbortOptions {
  /** Layers to remove, counted from 0, the lowest first. They are removed before others are added. */
  readonly drop?: readonly number[] | undefined
  /** Layers to add on top, lowest first. */
  readonly layers?: readonly NewLayer[] | undefined
  /** Changes to the run configuration. */
  readonly config?: ConfigEdits | undefined
  /** Platform that the config states. Files are not changed by it. */
  readonly platform?: string | Platform | undefined
  /** Creation time of the image, RFC 3339. @defaultValue that of the image */
  readonly created?: string | undefined
  /** Author of the image. */
  readonly author?: string | undefined
  /** Annotations of the manifest to set; `null` removes one. Docker manifests have none. */
  readonly annotations?: Readonly<Record<string, string | null>> | undefined
}

/**
 * Changes an image without building it: its run configuration, its layers, its annotations. Layers are neither read nor
 * fetched, so that an image whose layers are in a registry only can be edited. The family of documents stays: an OCI
 * image stays one, and so does a Docker image. Members that this library does not know are kept.
 *
 * The history stays true: the steps of removed layers go, each change of the run configuration adds an entry, and a
 * history that does not describe the layers is left out if layers are removed or added. Equal input gives equal
 * digests. The image gets no name: call `store.references.set` with the descriptor.
 *
 * @example
 * ```ts
 * const image = await readImage(store, 'app:1.0')
 * const edited = await editImage(store, image, { config: { set: { Env: ['MODE=prod'] }, remove: ['Healthcheck'] } })
 * await store.references.set('app:1.0-prod', edited.descriptor)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a layer that the image does not have, for annotations of a
 * Docker manifest and for an argument of a wrong kind; `ERR_INVALID_CONFIG`, `ERR_INVALID_PLATFORM`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md | image-spec: config}
 */
export async function editImage(store: Store, image: Image, options: EditImageOptions): Promise<Image> {
  assertStore(store, ['put', 'leases'])
  assertOptions(options)
  assertMembers(image, 'image', 'an image, as readImage gives it', ['descriptor', 'manifest', 'config', 'layers'])
  const { drop = [], layers: added = [], signal } = options
  const remaining = dropLayers(image, drop)
  const layers = [...remaining.layers, ...added.map(({ descriptor, diffId }) => ({ descriptor, diffId }))]
  const config = configOf(image, layers, remaining.history, options)
  return recomposeImage(store, image, { config, layers, annotations: options.annotations, signal })
}

function configOf(
  { config: before }: Image,
  layers: Image['layers'],
  history: readonly HistoryEntry[] | undefined,
  options: EditImageOptions,
): ImageConfig {
  const { config: edits, created, author, platform, layers: added = [], drop = [] } = options
  const run = editConfig(before.config, edits ?? {})
  const time = created ?? defaultCreated()
  const changesLayers = added.length > 0 || drop.length > 0
  const below = history ?? (changesLayers ? undefined : (before.history ?? []))
  const above = [
    ...added.map(layer => ({ created: time, created_by: 'layerstore', ...layer.history })),
    ...historyOfEdits(before.config ?? {}, run, time),
  ]
  const { config: _run, history: _history, ...kept } = before
  return {
    ...kept,
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    ...(platform === undefined ? {} : asPlatform(platform)),
    ...(Object.keys(run).length > 0 ? { config: run } : {}),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    ...(below ? { history: [...below, ...above] } : {}),
  }
}
