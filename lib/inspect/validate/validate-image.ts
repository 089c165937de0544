import { findDescriptor } from '../../image/index.ts'
import { assertOptions } from '../../internal/assert-kind.ts'
import {
  asPlatform,
  type Descriptor,
  formatPlatform,
  type ImageIndex,
  type ImageManifest,
  isConfigType,
  isIndexType,
  Limits,
  matchPlatform,
  type Platform,
  parseImageDocument,
} from '../../oci/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import { readDocument } from '../../store/index.ts'
import type { InspectionOptions } from '../read-source.ts'
import { FaultList, type ImageFault } from './image-fault.ts'
import { type Counted, validateBlob, validateManifest } from './validate-manifest.ts'

/** Result of {@link validateImage}. */
export interface ImageValidation {
  /** The document that was checked first. */
  readonly descriptor: Descriptor
  /** True if there is no fault of severity `error`. */
  readonly valid: boolean
  /** Faults in the order in which they were found. */
  readonly faults: readonly ImageFault[]
  /** Number of images and artifacts checked. */
  readonly images: number
  /** Number of blobs read. */
  readonly blobs: number
  /** Number of bytes read, compressed. */
  readonly bytes: number
}

/**
 * Reads an image, an index or an artifact from end to end and lists every fault, not only the first: documents that are
 * missing, malformed or of another size, blobs with other bytes than their digest, layers that are no archive or not
 * the layer that the config names, entries that cannot be unpacked, platforms that contradict each other, a history
 * that does not describe the layers. Of an index, every image is checked, or the one that `platform` selects.
 *
 * Every blob is read once, one after the other; memory grows with the number of entries. The source may be a store, a
 * layout, an archive or a registry. Nothing but layer indexes is stored.
 *
 * @example
 * ```ts
 * const { valid, faults } = await validateImage(store, 'app:1.0')
 * for (const { severity, at, message } of faults) console.log(severity, at, message)
 * ```
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`; errors of a registry or disk that cannot be read.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/spec.md | image-spec}
 */
export async function validateImage(
  store: ViewStore,
  image: string | Descriptor,
  options: InspectionOptions = {},
): Promise<ImageValidation> {
  assertOptions(options)
  const { platform, signal } = options
  const root = typeof image === 'string' ? await findDescriptor(store, image, { signal }) : image
  const faults = new FaultList()
  const counted: Counted = { images: 0, blobs: new Map() }
  const walk = { store, faults, counted, options, wanted: platform === undefined ? undefined : asPlatform(platform) }
  await validateDocument(walk, root, '', 0)
  const bytes = [...counted.blobs.values()].reduce((sum, size) => sum + size, 0)
  const valid = faults.faults.every(({ severity }) => severity !== 'error')
  return { descriptor: root, valid, faults: faults.faults, images: counted.images, blobs: counted.blobs.size, bytes }
}

interface Walk {
  readonly store: ViewStore
  readonly faults: FaultList
  readonly counted: Counted
  readonly options: InspectionOptions
  readonly wanted: Platform | undefined
}

async function validateDocument(walk: Walk, descriptor: Descriptor, prefix: string, depth: number): Promise<void> {
  const { store, faults, counted, options } = walk
  options.signal?.throwIfAborted()
  const at = `${prefix}${isIndexType(descriptor.mediaType) ? 'index' : 'manifest'}`
  const document = await faults.record(at, descriptor, async () => {
    const bytes = await readDocument(store, descriptor, { signal: options.signal })
    counted.blobs.set(descriptor.digest, bytes.byteLength)
    return parseImageDocument(bytes, descriptor.mediaType)
  })
  if (document?.kind === 'index') await validateIndex(walk, descriptor, document.index, { prefix, depth })
  if (document?.kind !== 'manifest') return
  counted.images++
  if (isConfigType(document.manifest.config.mediaType)) {
    await validateManifest({ store, faults, counted, options }, descriptor, document.manifest, prefix)
  } else {
    await validateArtifact(walk, document.manifest, prefix)
  }
}

async function validateIndex(
  walk: Walk,
  descriptor: Descriptor,
  index: ImageIndex,
  { prefix, depth }: { readonly prefix: string; readonly depth: number },
): Promise<void> {
  const { faults, wanted } = walk
  if (depth > Limits.indexDepth) {
    const message = `indexes nested deeper than ${Limits.indexDepth}`
    return faults.error('ERR_INVALID_INDEX', `${prefix}index`, descriptor, message)
  }
  const seen = new Map<string, string>()
  for (const [i, entry] of index.manifests.entries()) {
    const { platform, digest } = entry
    const words = platform ? formatPlatform(platform) : undefined
    if (wanted && !(platform && matchPlatform(wanted, platform) > 0)) continue
    const at = `${prefix}${words ?? `entry ${i + 1}`} `
    const before = words === undefined || platform?.os === 'unknown' ? undefined : seen.get(words)
    if (before !== undefined && before !== digest) {
      faults.warn('duplicate-platform', `${prefix}index`, entry, `two entries are for ${words}; readers take the first`)
    }
    if (words !== undefined && before === undefined) seen.set(words, digest)
    await validateDocument(walk, entry, at, depth + 1)
  }
}

async function validateArtifact(walk: Walk, manifest: ImageManifest, prefix: string): Promise<void> {
  await validateBlob(walk, manifest.config, `${prefix}config`)
  for (const [i, blob] of manifest.layers.entries()) await validateBlob(walk, blob, `${prefix}blob ${i + 1}`)
}
