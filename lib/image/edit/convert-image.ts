import { BlobNotFoundError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { assertOneOf, assertOptions } from '../../internal/assert-kind.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import {
  type Descriptor,
  formatReference,
  type ImageIndex,
  isConfigType,
  MediaType,
  remoteLayersOf,
  withRemoteLayers,
} from '../../oci/index.ts'
import { assertStore, type Store } from '../../store/index.ts'
import { findDescriptor, type Image, type ImageLayer, readImage, readImageDocument } from '../read-image.ts'
import { convertLayer } from './convert-layer.ts'
import { type DocumentFamily, familyOf, manifestIn } from './document-family.ts'

/** Options of {@link convertImage}. */
export interface ConvertImageOptions extends AbortOptions {
  /** Family of the manifests and of the index. @defaultValue that of each document */
  readonly documents?: DocumentFamily | undefined
  /** Compression of the layers. @defaultValue that of each layer */
  readonly compression?: 'gzip' | 'zstd' | 'none' | undefined
  /** Level of the compression. @defaultValue gzip 6, zstd 3 */
  readonly level?: number | undefined
}

/**
 * Converts an image, or all images of an index, to another family of documents, to another compression of its layers,
 * or both. Files, history and diffIDs stay; digests of manifests change. A layer that has the compression already keeps
 * its bytes. A layer that is compressed anew is proven by its diffID on the way; one layer is converted at a time, in a
 * stream.
 *
 * What describes an image by its digest does not fit the converted one: the attestations that BuildKit lists in an
 * index are left out, and referrers and signatures stay with the old image. Annotations of layers and of the manifest
 * are left out by a conversion to Docker, which has none.
 *
 * The result gets no name: call `store.references.set` with the descriptor.
 *
 * @example
 * ```ts
 * const small = await convertImage(store, 'app:1.0', { compression: 'zstd' })
 * await store.references.set('app:1.0-zstd', small)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if Docker documents cannot say what the image has, such as layers
 * compressed with zstd, `ERR_UNSUPPORTED_MEDIA_TYPE` for an artifact or an encrypted layer; {@link
 * ReferenceNotFoundError}, {@link BlobNotFoundError}, {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md | image-spec: media types}
 */
export async function convertImage(
  store: Store,
  image: string | Descriptor,
  options: ConvertImageOptions,
): Promise<Descriptor> {
  assertStore(store, ['put', 'leases', 'derived'])
  assertOptions(options)
  if (options.documents !== undefined) assertOneOf('documents', options.documents, ['oci', 'docker'])
  if (options.compression !== undefined) assertOneOf('compression', options.compression, ['gzip', 'zstd', 'none'])
  const { signal } = options
  // The lease protects what is converted until the caller names the result, at least for the grace period.
  await using _lease = await store.leases.hold({ label: 'convert an image', signal })
  const root = typeof image === 'string' ? await findDescriptor(store, image, { signal }) : image
  const remote = remoteLayersOf(root)
  try {
    return withRemoteLayers(await convert(store, withRemoteLayers(root, []), options), remote)
  } catch (cause) {
    const [source] = remote
    if (!(cause instanceof BlobNotFoundError) || !source) throw cause
    throw new BlobNotFoundError(cause.digest, { parent: root.digest, source: formatReference(source), cause })
  }
}

async function convert(store: Store, root: Descriptor, options: ConvertImageOptions): Promise<Descriptor> {
  const document = await readImageDocument(store, root, options)
  return document.kind === 'index'
    ? convertIndex(store, root, document.index, options)
    : convertManifest(store, await readImage(store, root, { signal: options.signal }), options)
}

async function convertIndex(
  store: Store,
  root: Descriptor,
  index: ImageIndex,
  options: ConvertImageOptions,
): Promise<Descriptor> {
  const family = options.documents ?? familyOf(index.mediaType ?? root.mediaType)
  const manifests: Descriptor[] = []
  for (const entry of index.manifests) {
    if (!(await isImage(store, entry, options))) continue
    const { annotations, ...members } = entry
    const converted = await convert(store, entry, options)
    const notes = family === 'oci' && annotations ? { annotations } : {}
    manifests.push({ ...members, ...converted, ...notes })
  }
  const { annotations, mediaType: _, ...kept } = index
  const mediaType = family === 'oci' ? MediaType.OciIndex : MediaType.DockerManifestList
  const notes = family === 'oci' && annotations ? { annotations } : {}
  const info = await store.put(canonicalJson({ ...kept, mediaType, manifests, ...notes }), { signal: options.signal })
  return { mediaType, ...info }
}

/** False for attestations and other artifacts, whose subject is the image as it was. */
async function isImage(store: Store, entry: Descriptor, options: AbortOptions): Promise<boolean> {
  if (entry.annotations?.['vnd.docker.reference.digest'] !== undefined) return false
  const document = await readImageDocument(store, entry, options)
  return document.kind === 'index' || isConfigType(document.manifest.config.mediaType)
}

async function convertManifest(store: Store, image: Image, options: ConvertImageOptions): Promise<Descriptor> {
  const { manifest, descriptor } = image
  const family = options.documents ?? familyOf(manifest.mediaType ?? descriptor.mediaType)
  const layers: ImageLayer[] = []
  for (const layer of image.layers) layers.push(await convertLayer(store, layer, options))
  const converted = manifestIn(family, manifest, {
    config: { digest: manifest.config.digest, size: manifest.config.size },
    layers: layers.map(layer => layer.descriptor),
    annotations: family === 'oci' ? (manifest.annotations ?? {}) : {},
  })
  const info = await store.put(canonicalJson(converted), { signal: options.signal })
  return { mediaType: converted.mediaType!, ...info }
}
