import { type Digest, isDigest } from '../digest/index.ts'
import { BlobNotFoundError, FormatError, ReferenceNotFoundError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import {
  type Descriptor,
  hostPlatform,
  type ImageConfig,
  type ImageDocument,
  type ImageManifest,
  isConfigType,
  Limits,
  type Platform,
  parseConfig,
  parseImageDocument,
} from '../oci/index.ts'
import { type BlobReader, type ReferenceStore, readDocument } from '../store/index.ts'
import { selectPlatform } from './select-platform.ts'

/** One layer of an image. */
export interface ImageLayer {
  /** Descriptor of the stored layer. */
  readonly descriptor: Descriptor
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest
}

/** One image for one platform. Plain data. */
export interface Image {
  /** Descriptor of the manifest. */
  readonly descriptor: Descriptor
  /** The parsed manifest. */
  readonly manifest: ImageManifest
  /** The parsed config. */
  readonly config: ImageConfig
  /** The layers, lowest first. */
  readonly layers: readonly ImageLayer[]
}

/** Options of {@link readImage}. */
export interface ReadImageOptions extends AbortOptions {
  /** Platform to select from an index. @defaultValue linux on the architecture of this machine */
  readonly platform?: Platform | undefined
}

/**
 * Reads an image by name, by digest or by descriptor. Layers are not opened.
 *
 * @example
 * ```ts
 * const { config, layers } = await readImage(store, 'app:1.0')
 * console.log(config.config?.Env, layers.map(layer => layer.descriptor.size))
 * ```
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`, {@link PlatformNotFoundError}
 * `ERR_PLATFORM_NOT_FOUND`, {@link FormatError} if a document is malformed, or `ERR_UNSUPPORTED_MEDIA_TYPE` if it is an
 * artifact and not an image.
 */
export async function readImage(
  store: NamedBlobs,
  image: string | Descriptor,
  options: ReadImageOptions = {},
): Promise<Image> {
  const root = typeof image === 'string' ? await findDescriptor(store, image, options) : image
  const { descriptor, manifest } = await findManifest(store, root, options)
  if (!isConfigType(manifest.config.mediaType)) {
    const message = `${descriptor.digest} is not an image: its config is ${manifest.config.mediaType}`
    throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
  }
  const config = parseConfig(await readDocument(store, manifest.config, options))
  return { descriptor, manifest, config, layers: pairLayers(manifest, config) }
}

/** Blobs with names: a store, or an archive opened for reading. */
export interface NamedBlobs extends BlobReader {
  /** Resolves names to descriptors. */
  readonly references: Pick<ReferenceStore, 'get'>
}

/**
 * Resolves a name, or the digest of a stored manifest or index, to a descriptor.
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`.
 */
export async function findDescriptor(store: NamedBlobs, name: string, options: AbortOptions = {}): Promise<Descriptor> {
  if (isDigest(name)) return describeStored(store, name, options)
  const descriptor = await store.references.get(name, options)
  if (!descriptor) throw new ReferenceNotFoundError(name)
  return descriptor
}

async function describeStored(store: NamedBlobs, digest: Digest, options: AbortOptions): Promise<Descriptor> {
  const info = await store.stat(digest, options)
  if (!info) throw new ReferenceNotFoundError(digest, { cause: new BlobNotFoundError(digest) })
  const { mediaType } = parseImageDocument(await readDocument(store, { mediaType: '', ...info }, options))
  return { mediaType, ...info }
}

/**
 * Reads and parses the manifest or index of a descriptor.
 *
 * @throws {@link FormatError} if it is malformed.
 */
export async function readImageDocument(
  store: BlobReader,
  descriptor: Descriptor,
  options: AbortOptions = {},
): Promise<ImageDocument> {
  return parseImageDocument(await readDocument(store, descriptor, options), descriptor.mediaType)
}

async function findManifest(
  store: BlobReader,
  root: Descriptor,
  options: ReadImageOptions,
): Promise<{ descriptor: Descriptor; manifest: ImageManifest }> {
  let descriptor = root
  for (let depth = 0; depth <= Limits.indexDepth; depth++) {
    const document = await readImageDocument(store, descriptor, options)
    if (document.kind === 'manifest') return { descriptor, manifest: document.manifest }
    descriptor = selectPlatform(document.index, options.platform ?? hostPlatform(), descriptor.digest)
  }
  throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}: ${root.digest}`)
}

function pairLayers(manifest: ImageManifest, config: ImageConfig): ImageLayer[] {
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== manifest.layers.length) {
    const message = `image config lists ${diffIds.length} layers, its manifest ${manifest.layers.length}`
    throw new FormatError('ERR_INVALID_CONFIG', message, { at: 'rootfs.diff_ids' })
  }
  return manifest.layers.map((descriptor, i) => ({ descriptor, diffId: diffIds[i]! }))
}
