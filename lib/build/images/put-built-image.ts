import { digestOf } from '../../digest/index.ts'
import { composeManifest, type Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { Annotation, type HistoryEntry, type ImageConfig, MediaType } from '../../oci/index.ts'
import type { BlobInfo, Store } from '../../store/index.ts'
import type { BuildState } from '../stages/build-state.ts'

/** Settings of an image besides its steps. */
export interface ImageSettings {
  /** Time of the image and of every new entry of its history, RFC 3339. */
  readonly created: string
  /** Labels, set last; they are in no history. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** ONBUILD triggers. */
  readonly onBuild: readonly string[]
}

/** Writes config and manifest of a finished stage to the store. Equal stages and settings give equal digests. */
export async function putBuiltImage(
  store: Store,
  state: BuildState,
  settings: ImageSettings,
  { signal }: AbortOptions,
): Promise<Image> {
  const config = finishConfig(state, settings)
  const configInfo = await putDocument(store, canonicalJson(config), { signal })
  const manifest = composeManifest({
    config: { mediaType: MediaType.OciConfig, ...configInfo },
    layers: state.layers.map(layer => layer.descriptor),
    annotations: { ...baseAnnotations(state), ...settings.annotations },
  })
  const info = await putDocument(store, canonicalJson(manifest), { signal })
  const descriptor = { mediaType: MediaType.OciManifest, ...info }
  return { descriptor, manifest, config, layers: state.layers }
}

/** PERF: with its digest, a document that the store has is acknowledged and not written and synced again. */
async function putDocument(store: Store, bytes: Uint8Array, { signal }: AbortOptions): Promise<BlobInfo> {
  const digest = await digestOf(bytes, { hasher: 'native' })
  return store.put(bytes, { digest, size: bytes.byteLength, hasher: 'native', signal })
}

/** The config of an image: entries of the history that are not the base's get the time of the image. */
export function finishConfig({ config, inherited }: BuildState, settings: ImageSettings): ImageConfig {
  const { created, labels = {}, onBuild } = settings
  const run: Record<string, unknown> = { ...config.config }
  if (Object.keys(labels).length > 0) run.Labels = { ...(run.Labels as object | undefined), ...labels }
  if (onBuild.length > 0) run.OnBuild = onBuild
  const history = (config.history ?? []).map(
    (entry, i): HistoryEntry => (i < inherited ? entry : { created, ...entry }),
  )
  return { ...config, created, config: run, history }
}

function baseAnnotations({ base }: BuildState): Record<string, string> {
  if (!base) return {}
  const name = base.isLocal ? {} : { [Annotation.BaseName]: base.reference }
  return { ...name, [Annotation.BaseDigest]: base.descriptor.digest }
}
