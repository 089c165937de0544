import { type CompressionType, compress } from '../compression/index.ts'
import { type Digest, splitDigest } from '../digest/index.ts'
import { BlobNotFoundError, FormatError, PlatformNotFoundError } from '../errors/index.ts'
import { findDescriptor } from '../image/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { type Platform, withRemoteLayers } from '../oci/index.ts'
import { assertStore, type BlobInfo, completeGraph, type Store } from '../store/index.ts'
import { type TarInput, writeTar } from '../tar/index.ts'
import { type ImageToWrite, resolveImages, type WrittenImage } from './write/archive-source.ts'
import { blobPath, dockerListOf } from './write/docker-list.ts'
import { indexOf, LAYOUT } from './write/layout-documents.ts'
import { type Prerequisite, type Prerequisites, resolvePrerequisites } from './write/prerequisites.ts'

/** Options of {@link writeArchive}. */
export interface WriteArchiveOptions extends AbortOptions {
  /**
   * `oci` is an image layout in a tar, and nothing else. `docker` adds the `manifest.json` that `docker load` and older
   * tools need, and fails if it cannot describe the images. @defaultValue the layout, with `manifest.json` if it can
   * describe all images: not artifacts, not a delta
   */
  readonly format?: 'oci' | 'docker' | undefined
  /**
   * Platform to take of a multi-platform image. @defaultValue all of them; in docker's `manifest.json`, that of this
   * machine
   */
  readonly platform?: string | Platform | undefined
  /**
   * Images whose layers the receiver has. The archive omits these layers and declares the images that it requires.
   * {@link loadArchive} refuses such an archive if the layers are missing; so does every tool that needs all layers of
   * an archive.
   * @defaultValue none
   */
  readonly have?: readonly Prerequisite[] | undefined
  /**
   * Manifests of the store that refer to the images, such as signatures. The archive has them beside the images, and
   * does not list them. @defaultValue none
   */
  readonly referrers?: readonly Digest[] | undefined
  /** Compress the archive as a whole. @defaultValue `'none'` */
  readonly compression?: CompressionType | undefined
}

/**
 * Writes images as one archive. Reproducible: the same images under the same names give the same bytes. Each blob that
 * the images need is written once, unchanged. Before the first byte is yielded, all blobs are known to exist; if a blob
 * turns out to be corrupt, the archive ends with an error. Memory does not grow with the images.
 *
 * @param images - Names in the store or digests, or images with their names in the archive.
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`, {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND`,
 * {@link BlobCorruptError} `ERR_BLOB_CORRUPT`, {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`.
 * @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` for an artifact in docker's format; `ERR_INVALID_ARGUMENT`
 * if there are no images, or two images with one name, or an argument is of a wrong kind.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md | image-spec: image layout}
 */
export async function* writeArchive(
  store: Store,
  images: string | readonly (string | ImageToWrite)[],
  options: WriteArchiveOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  assertStore(store, ['stat', 'read', 'references', 'leases'])
  assertOptions(options)
  const { compression: type = 'none', signal } = options
  if (typeof images !== 'string' && !Array.isArray(images)) {
    throw invalidArgument('images', 'a name, or a list of names and images', images)
  }
  const wanted = typeof images === 'string' ? [images] : images
  if (wanted.length === 0) throw new FormatError('ERR_INVALID_ARGUMENT', 'an archive needs at least one image')
  const written = await resolveImages(store, wanted, options)
  const referrers = (options.referrers ?? []).map(digest => findDescriptor(store, digest, { signal }))
  const roots = [...written.map(image => image.descriptor), ...(await Promise.all(referrers))]
  await using _lease = await store.leases.hold({
    label: 'write an archive',
    digests: roots.map(root => root.digest),
    signal,
  })
  const prerequisites = await resolvePrerequisites(store, options.have ?? [], { signal })
  const found = new Map<Digest, BlobInfo>()
  for (const root of roots) {
    const graph = await completeGraph(store, root, { allLayers: true, without: prerequisites.had, signal })
    for (const [digest, blob] of graph) found.set(digest, blob)
  }
  const blobs = [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1))
  const documents = await documentsOf(store, written.map(asEntry), { blobs, prerequisites }, options)
  yield* compress(writeTar(entriesOf(store, documents, blobs, options), { signal }), { type, signal })
}

/**
 * Removes the registries that hold missing layers from a descriptor: they matter to the store only, not to the archive.
 */
function asEntry({ descriptor, names }: WrittenImage): WrittenImage {
  return { descriptor: withRemoteLayers(descriptor, []), names }
}

/** The documents that describe the rest; they come first, for readers that cannot seek. */
async function documentsOf(
  store: Store,
  images: readonly WrittenImage[],
  { blobs, prerequisites }: { readonly blobs: readonly BlobInfo[]; readonly prerequisites: Prerequisites },
  options: WriteArchiveOptions,
): Promise<Map<string, Uint8Array>> {
  const { format, platform, signal } = options
  const documents = new Map([
    ['oci-layout', LAYOUT],
    ['index.json', indexOf(images, prerequisites.requires)],
  ])
  if (format !== undefined && format !== 'oci' && format !== 'docker') {
    throw new FormatError('ERR_INVALID_ARGUMENT', `format of an archive must be oci or docker, is ${format}`)
  }
  if (format === 'oci') return documents
  const known = new Set([...blobs.map(({ digest }) => digest), ...(format === 'docker' ? prerequisites.had : [])])
  const list = dockerListOf(store, images, known, { platform, signal })
  const listed = format === 'docker' ? await list : await list.catch(unlessUndescribed)
  return listed ? documents.set('manifest.json', listed) : documents
}

/** The list of docker cannot describe artifacts, images of other platforms only, and images without their layers. */
function unlessUndescribed(error: unknown): undefined {
  const isUndescribed =
    error instanceof PlatformNotFoundError || error instanceof BlobNotFoundError || error instanceof FormatError
  if (!isUndescribed) throw error
}

function* entriesOf(
  store: Store,
  documents: ReadonlyMap<string, Uint8Array>,
  blobs: readonly BlobInfo[],
  { signal }: AbortOptions,
): Generator<TarInput, void, undefined> {
  for (const [path, content] of documents) yield { path, type: 'file', content }
  yield { path: 'blobs', type: 'directory' }
  const algorithms = new Set(blobs.map(({ digest }) => splitDigest(digest).algorithm))
  for (const algorithm of [...algorithms].sort()) yield { path: `blobs/${algorithm}`, type: 'directory' }
  for (const { digest, size } of blobs) {
    yield { path: blobPath(digest), type: 'file', size, content: () => store.read(digest, { signal }) }
  }
}
