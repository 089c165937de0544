import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { type ImageConfig, withRemoteLayers } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { Image, ImageLayer } from '../read-image.ts'
import { familyOf, manifestIn } from './document-family.ts'

/** New parts of an image. */
export interface RecomposeOptions extends AbortOptions {
  /** The config; its diffIDs must be those of the layers. */
  readonly config: ImageConfig
  /** The layers, lowest first. */
  readonly layers: readonly ImageLayer[]
  /** Annotations of the manifest to set; `null` removes one. */
  readonly annotations?: Readonly<Record<string, string | null>> | undefined
}

/**
 * Writes the config and the manifest of a changed image. The family of documents and unknown members are those of the
 * image before.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if a Docker manifest cannot say what is asked for.
 */
export async function recomposeImage(store: Store, before: Image, options: RecomposeOptions): Promise<Image> {
  const { config, layers, annotations, signal } = options
  const digests = layers.map(({ descriptor }) => descriptor.digest)
  // SAFETY: the image may lose its name while this runs; the lease keeps a collection from removing its layers.
  await using _lease = await store.leases.hold({ label: 'edit an image', digests, signal })
  const bytes = canonicalJson(config)
  const family = familyOf(before.manifest.mediaType ?? before.descriptor.mediaType)
  const parts = {
    layers: layers.map(layer => layer.descriptor),
    annotations: merged(before.manifest.annotations ?? {}, annotations ?? {}),
  }
  const { digest, size } = await store.put(bytes, { signal })
  const manifest = manifestIn(family, before.manifest, { ...parts, config: { digest, size } })
  const info = await store.put(canonicalJson(manifest), { signal })
  const remoteLayers = before.remoteLayers ?? []
  const descriptor = withRemoteLayers({ mediaType: manifest.mediaType!, ...info }, remoteLayers)
  return { descriptor, manifest, config, layers, ...(remoteLayers.length > 0 ? { remoteLayers } : {}) }
}

function merged(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const entries = Object.entries({ ...before, ...changes })
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null))
}
