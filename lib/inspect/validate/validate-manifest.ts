import type { Digest } from '../../digest/index.ts'
import { SizeMismatchError } from '../../errors/index.ts'
import { readLayer } from '../../layer/index.ts'
import {
  assertLayersAgree,
  type Descriptor,
  formatPlatform,
  type ImageConfig,
  type ImageManifest,
  isEncryptedLayerType,
  isForeignLayerType,
  matchPlatform,
  parseConfig,
  platformOfConfig,
} from '../../oci/index.ts'
import { openUnionView, type ViewStore } from '../../rootfs/index.ts'
import { readDocument } from '../../store/index.ts'
import type { InspectionOptions } from '../read-source.ts'
import type { FaultList } from './image-fault.ts'

/** Counts of a validation. */
export interface Counted {
  /** Images and artifacts. */
  images: number
  /** Sizes of the blobs that were read. */
  readonly blobs: Map<Digest, number>
}

/** Shared by the steps of a validation. */
export interface Validating {
  readonly store: ViewStore
  readonly faults: FaultList
  readonly counted: Counted
  readonly options: InspectionOptions
}

/** Validates one image below its manifest: config, layers, and how they fit together. */
export async function validateManifest(
  validating: Validating,
  descriptor: Descriptor,
  manifest: ImageManifest,
  prefix: string,
): Promise<void> {
  const { store, faults, counted, options } = validating
  warnOfMixedFamilies(faults, descriptor, manifest, prefix)
  const config = await faults.record(`${prefix}config`, manifest.config, async () => {
    const bytes = await readDocument(store, manifest.config, { signal: options.signal })
    counted.blobs.set(manifest.config.digest, bytes.byteLength)
    assertLayersAgree(manifest, bytes)
    return parseConfig(bytes)
  })
  if (config) compareConfig(faults, descriptor, manifest, config, prefix)
  let sound = config !== undefined
  for (const [i, layer] of manifest.layers.entries()) {
    const diffId = config?.rootfs.diff_ids[i]
    sound = (await validateLayer(validating, layer, diffId, `${prefix}layer ${i + 1}`)) && sound
  }
  // Layers that are sound alone may contradict each other, for example by a hard link to a path that no layer has.
  if (!sound || !config) return
  const layers = manifest.layers.map((layer, i) => ({ descriptor: layer, diffId: config.rootfs.diff_ids[i]! }))
  const { signal, hasher, limits } = options
  const view = await faults.record(`${prefix}layers`, descriptor, () =>
    openUnionView(store, layers, { signal, hasher, ...(limits ? { limits } : {}) }),
  )
  for (const { code, path, layer } of view?.warnings ?? []) {
    const at = `${prefix}layer ${layer + 1}`
    faults.warn(code, at, manifest.layers[layer]!, `path ${JSON.stringify(path)} stands twice; the last entry counts`)
  }
}

function warnOfMixedFamilies(faults: FaultList, descriptor: Descriptor, manifest: ImageManifest, prefix: string): void {
  const types = [manifest.mediaType ?? descriptor.mediaType, manifest.config.mediaType]
  const families = new Set([...types, ...manifest.layers.map(layer => layer.mediaType)].map(familyOf))
  if (families.size < 2) return
  const message = 'the manifest mixes OCI and Docker media types, which some registries and tools refuse'
  faults.warn('mixed-media-types', `${prefix}manifest`, descriptor, message)
}

function familyOf(mediaType: string): 'oci' | 'docker' {
  return mediaType.startsWith('application/vnd.docker.') ? 'docker' : 'oci'
}

function compareConfig(
  faults: FaultList,
  { platform: said }: Descriptor,
  manifest: ImageManifest,
  config: ImageConfig,
  prefix: string,
): void {
  const at = `${prefix}config`
  const platform = platformOfConfig(config)
  if (!platform) faults.warn('no-platform', at, manifest.config, 'the config does not state os and architecture')
  if (platform && said && matchPlatform(said, platform) === 0) {
    const message = `the index says ${formatPlatform(said)}, the config ${formatPlatform(platform)}`
    faults.error('platform-mismatch', at, manifest.config, message)
  }
  const steps = (config.history ?? []).filter(entry => !entry.empty_layer).length
  if (config.history && config.history.length > 0 && steps !== manifest.layers.length) {
    const message = `the history describes ${steps} layers, the image has ${manifest.layers.length}`
    faults.warn('history-mismatch', at, manifest.config, message)
  }
}

/** Reads a layer to its end, and keeps its index. Resolves to false if the layer cannot be part of a view. */
async function validateLayer(
  validating: Validating,
  layer: Descriptor,
  diffId: Digest | undefined,
  at: string,
): Promise<boolean> {
  const { store, faults, counted, options } = validating
  const { signal, hasher, limits } = options
  if (isForeignLayerType(layer.mediaType)) {
    faults.warn('foreign-layer', at, layer, 'the layer is not distributable: it was not checked')
    return false
  }
  if (isEncryptedLayerType(layer.mediaType)) {
    faults.warn('encrypted-layer', at, layer, 'the layer is encrypted: only its digest was checked')
    await validateBlob(validating, layer, at)
    return false
  }
  // A layer that was compressed anew would have its diffID, but not its digest.
  const verified: ViewStore = {
    stat: (digest, asking) => store.stat(digest, asking),
    references: store.references,
    derived: store.derived,
    read: (digest, reading) => store.read(digest, { ...reading, verify: 'always' }),
  }
  const read = await faults.record(at, layer, async () => {
    for await (const entry of readLayer(verified, layer, { ...limits, diffId, hasher, signal, index: true })) {
      for await (const _ of entry.content) signal?.throwIfAborted()
    }
    counted.blobs.set(layer.digest, layer.size)
    return true
  })
  return read === true
}

/** Reads a blob to its end: its size and its digest. */
export async function validateBlob(
  { store, faults, counted, options }: Validating,
  blob: Descriptor,
  at: string,
): Promise<void> {
  await faults.record(at, blob, async () => {
    let size = 0
    for await (const chunk of store.read(blob.digest, { signal: options.signal, verify: 'always' })) {
      size += chunk.byteLength
    }
    if (size !== blob.size)
      throw new SizeMismatchError({ expected: blob.size, actual: size, what: `blob ${blob.digest}` })
    counted.blobs.set(blob.digest, size)
  })
}
