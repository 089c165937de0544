import type { Digest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { canonicalJson } from '../internal/canonical-json.ts'
import {
  Annotation,
  type Descriptor,
  type HistoryEntry,
  MediaType,
  type Platform,
  type RunConfig,
} from '../spec/index.ts'
import type { Store } from '../store/index.ts'
import { composeConfig } from './compose-config.ts'
import { composeManifest } from './compose-manifest.ts'
import type { Image } from './read-image.ts'

/** A layer as `writeLayer` gives it. */
export interface NewLayer {
  /** The stored blob. */
  readonly descriptor: Descriptor
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
  /** What made it, for the history. */
  readonly history?: HistoryEntry | undefined
}

/** What an image is composed of. */
export interface ComposeImageOptions extends AbortOptions {
  /** Image below, from {@link readImage}; none gives an image from scratch. */
  readonly base?: Image | undefined
  /** Layers to add, lowest first. */
  readonly layers?: readonly NewLayer[] | undefined
  /** Changes to how a container runs, merged as a Dockerfile would. */
  readonly config?: RunConfig | undefined
  /** Needed if the config of the base says none. @defaultValue the base's; linux/amd64 without a base */
  readonly platform?: Platform | undefined
  /** When, RFC 3339. @defaultValue `SOURCE_DATE_EPOCH`, else the start of 1970 */
  readonly created?: string | undefined
  /** Who. */
  readonly author?: string | undefined
  /** Free text for the manifest. The base's digest is noted by itself. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/**
 * Composes an image out of stored layers and writes its config and manifest to the store. Nothing is named: call
 * `store.references.set` with the result's descriptor. The same input gives the same digests.
 *
 * @throws as {@link composeConfig}.
 */
export async function composeImage(store: Store, options: ComposeImageOptions): Promise<Image> {
  const { base, layers = [], signal } = options
  const below = [...(base?.manifest.layers ?? []), ...layers.map(layer => layer.descriptor)]
  // The base may lose its name meanwhile; what is acknowledged here lasts until the new image gets one.
  await using _lease = await store.leases.hold({
    label: 'compose an image',
    digests: below.map(layer => layer.digest),
    signal,
  })
  const config = composeConfig({ ...options, base: base?.config, layers })
  const configBytes = canonicalJson(config)
  const configInfo = await store.put(configBytes, { signal })
  const manifest = composeManifest({
    config: { mediaType: MediaType.OciConfig, ...configInfo },
    layers: below,
    annotations: { ...(base ? { [Annotation.BaseDigest]: base.descriptor.digest } : {}), ...options.annotations },
  })
  const info = await store.put(canonicalJson(manifest), { signal })
  return {
    descriptor: { mediaType: MediaType.OciManifest, ...info },
    manifest,
    config,
    layers: [...(base?.layers ?? []), ...layers.map(({ descriptor, diffId }) => ({ descriptor, diffId }))],
  }
}
