import type { Digest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { assertMembers, assertOptionalAnnotations, assertOptions } from '../internal/assert-kind.ts'
import { canonicalJson } from '../internal/canonical-json.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import {
  Annotation,
  type Descriptor,
  type HistoryEntry,
  MediaType,
  type Platform,
  parseDescriptor,
  type Repository,
  type RunConfig,
  withRemoteLayers,
} from '../oci/index.ts'
import { assertStore, recordKnownSource, type Store } from '../store/index.ts'
import { composeConfig } from './compose-config.ts'
import { composeManifest } from './compose-manifest.ts'
import type { Image } from './read-image.ts'

/** A layer as `writeLayer` returns it. */
export interface NewLayer {
  /** The stored blob. */
  readonly descriptor: Descriptor
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
  /** History entry of the layer. */
  readonly history?: HistoryEntry | undefined
}

/** Options of {@link composeImage}. */
export interface ComposeImageOptions extends AbortOptions {
  /**
   * Base image, from {@link readImage}: of this store, or of a registry. The layers of a base in a registry are not
   * fetched. Without a base the image starts from scratch.
   */
  readonly base?: Image | undefined
  /** Layers to add, lowest first. */
  readonly layers?: readonly NewLayer[] | undefined
  /** Changes to the run configuration, merged as a Dockerfile does. */
  readonly config?: RunConfig | undefined
  /**
   * Platform of the image; required if the base config has none. @defaultValue the base's; linux/amd64 without a base
   */
  readonly platform?: string | Platform | undefined
  /** Creation time, RFC 3339. @defaultValue `SOURCE_DATE_EPOCH`, else the start of 1970 */
  readonly created?: string | undefined
  /** Author recorded in the config. */
  readonly author?: string | undefined
  /** Annotations of the manifest. The digest of the base is added. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/**
 * Composes an image from stored layers and writes its config and manifest to the store. Equal input gives equal
 * digests. The image gets no name: call `store.references.set` with the descriptor.
 *
 * If the base was read from a registry, its layers stay there: `remoteLayers` of the result names the repository, and
 * so does the descriptor, so that a name may be set to an image whose base layers the store lacks. A push mounts or
 * copies these layers; every other act that needs them reports `ERR_BLOB_NOT_FOUND` until the base is pulled.
 *
 * @example
 * ```ts
 * const base = await readImage(registry, 'node:22-slim')          // or readImage(store, 'node:22-slim')
 * const layer = await writeLayer(store, fromDirectory('dist', { at: '/app' }))
 * const image = await composeImage(store, { base, layers: [layer], config: { Cmd: ['node', '/app/server.js'] } })
 * await store.references.set('app:1.0', image.descriptor)
 * ```
 *
 * @throws as {@link composeConfig} and {@link composeManifest}; nothing is written then.
 */
export async function composeImage(store: Store, options: ComposeImageOptions): Promise<Image> {
  assertStore(store, ['put', 'leases'])
  assertOptions(options)
  const { base, signal } = options
  const layers = options.layers ?? []
  if (!Array.isArray(layers)) throw invalidArgument('layers', 'a list of layers, as writeLayer makes them', layers)
  assertOptionalAnnotations('annotations', options.annotations ?? undefined)
  if (base)
    assertMembers(base, 'base', 'an image, as readImage gives it', ['descriptor', 'manifest', 'config', 'layers'])
  layers.forEach((layer, i) => void parseDescriptor(layer?.descriptor, `layers[${i}].descriptor`))
  // Before the lease and the first write: a config that is refused leaves nothing in the store.
  const config = composeConfig({ ...options, base: base?.config, layers })
  const below = [...(base?.manifest.layers ?? []), ...layers.map(layer => layer.descriptor)]
  // SAFETY: the base may lose its name while this runs; the lease keeps a collection from removing its layers.
  await using _lease = await store.leases.hold({
    label: 'compose an image',
    digests: below.map(layer => layer.digest),
    signal,
  })
  const configBytes = canonicalJson(config)
  const configInfo = await store.put(configBytes, { signal })
  const manifest = composeManifest({
    config: { mediaType: MediaType.OciConfig, ...configInfo },
    layers: below,
    annotations: { ...(base ? { [Annotation.BaseDigest]: base.descriptor.digest } : {}), ...options.annotations },
  })
  const info = await store.put(canonicalJson(manifest), { signal })
  const remoteLayers = await noteRemoteLayers(store, below, base?.remoteLayers ?? [])
  return {
    descriptor: withRemoteLayers({ mediaType: MediaType.OciManifest, ...info }, remoteLayers),
    manifest,
    config,
    layers: [...(base?.layers ?? []), ...layers.map(({ descriptor, diffId }) => ({ descriptor, diffId }))],
    ...(remoteLayers.length > 0 ? { remoteLayers } : {}),
  }
}

/**
 * Records where the layers are that the store lacks. Resolves to their repositories; to an empty list if the store has
 * all layers.
 */
async function noteRemoteLayers(
  store: Store,
  layers: readonly Descriptor[],
  repositories: readonly Repository[],
): Promise<readonly Repository[]> {
  if (repositories.length === 0) return []
  let lacks = false
  for (const { digest } of layers) {
    if (await store.stat(digest)) continue
    lacks = true
    for (const repository of repositories) await recordKnownSource(store, digest, repository)
  }
  return lacks ? repositories : []
}
