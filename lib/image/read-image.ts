import { type Digest, isDigest } from '../digest/index.ts'
import { BlobNotFoundError, FormatError, PlatformNotFoundError, ReferenceNotFoundError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import {
  asPlatform,
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  type ImageDocument,
  type ImageManifest,
  isConfigType,
  Limits,
  matchPlatform,
  type Platform,
  parseConfig,
  parseDescriptor,
  parseImageDocument,
  platformOfConfig,
  type Reference,
  type Repository,
  remoteLayersOf,
} from '../oci/index.ts'
import { assertStore, type BlobReader, type ReferenceStore, readDocument } from '../store/index.ts'
import { type DocumentReader, isRegistry, openRegistryImage, type RegistryReader } from './registry-reader.ts'
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
  /**
   * Repositories that hold the layers, for an image whose layers need not be in the store: one that was read from a
   * registry, or put on such an image.
   */
  readonly remoteLayers?: readonly Repository[]
}

/** Options of {@link readImage}. */
export interface ReadImageOptions extends AbortOptions {
  /**
   * Platform to select from an index, as `os/architecture[/variant]`; the config of a single image must not contradict
   * it. @defaultValue linux on the architecture of this machine for an index, any for a single image
   */
  readonly platform?: string | Platform | undefined
}

/**
 * Reads the manifest and the config of an image in a store: by name, by digest or by descriptor. Layers are not opened.
 *
 * @example
 * ```ts
 * const { config, layers } = await readImage(store, 'app:1.0')
 * console.log(config.config?.Env, layers.map(layer => layer.descriptor.size))
 * ```
 *
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`, {@link PlatformNotFoundError}
 * `ERR_PLATFORM_NOT_FOUND`, {@link FormatError} if a document is malformed, `ERR_UNSUPPORTED_MEDIA_TYPE` if it is an
 * artifact and not an image, or `ERR_INVALID_ARGUMENT` for an argument of a wrong kind.
 */
export async function readImage(
  store: NamedBlobs,
  image: string | Descriptor,
  options?: ReadImageOptions,
): Promise<Image>
/**
 * Reads the manifest and the config of an image in a registry: two or three requests, no layer is fetched, nothing is
 * stored: `readImage(registry, 'node:22-slim')`. Put layers on top of it with {@link composeImage}; a push then mounts
 * its layers or copies them.
 *
 * @throws {@link RegistryError}; {@link DigestMismatchError} `ERR_DIGEST_MISMATCH` for a config with wrong bytes; and
 * as for a store.
 */
export async function readImage(
  registry: RegistryReader,
  reference: string | Reference,
  options?: ReadImageOptions,
): Promise<Image>
export async function readImage(
  from: NamedBlobs | RegistryReader,
  image: string | Descriptor | Reference,
  options: ReadImageOptions = {},
): Promise<Image> {
  if (options.platform !== undefined) asPlatform(options.platform)
  if (isRegistry(from)) {
    const { read, root, repository } = await openRegistryImage(from, image as string | Reference, options)
    return { ...(await readBelow(read, root, options)), remoteLayers: [repository] }
  }
  assertStore(from)
  const root = typeof image === 'string' ? await findDescriptor(from, image, options) : parseDescriptor(image)
  const remoteLayers = remoteLayersOf(root)
  const read: DocumentReader = descriptor => readDocument(from, descriptor, options)
  return { ...(await readBelow(read, root, options)), ...(remoteLayers.length > 0 ? { remoteLayers } : {}) }
}

async function readBelow(read: DocumentReader, root: Descriptor, options: ReadImageOptions): Promise<Image> {
  const { descriptor, manifest } = await findManifest(read, root, options)
  if (!isConfigType(manifest.config.mediaType)) {
    const message = `${descriptor.digest} is not an image: its config is ${manifest.config.mediaType}`
    throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
  }
  const config = parseConfig(await read(manifest.config))
  if (descriptor === root && options.platform !== undefined) assertPlatform(root, config, asPlatform(options.platform))
  return { descriptor, manifest, config, layers: pairLayers(manifest, config) }
}

/** An image without an index leaves no choice: a platform that its config contradicts is an error. */
function assertPlatform(root: Descriptor, config: ImageConfig, wanted: Platform): void {
  const platform = platformOfConfig(config)
  if (!platform || matchPlatform(wanted, platform) > 0) return
  const available = [formatPlatform(platform)]
  throw new PlatformNotFoundError({ wanted: formatPlatform(wanted), available, what: root.digest })
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
  read: DocumentReader,
  root: Descriptor,
  options: ReadImageOptions,
): Promise<{ descriptor: Descriptor; manifest: ImageManifest }> {
  const { platform = hostPlatform() } = options
  let descriptor = root
  for (let depth = 0; depth <= Limits.indexDepth; depth++) {
    const document = parseImageDocument(await read(descriptor), descriptor.mediaType)
    if (document.kind === 'manifest') return { descriptor, manifest: document.manifest }
    descriptor = selectPlatform(document.index, platform, descriptor.digest)
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
