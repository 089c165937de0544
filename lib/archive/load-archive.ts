import { BlobCorruptError, DigestMismatchError, FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { ByteSource } from '../internal/byte-source.ts'
import { type Descriptor, isDocumentRole, roleOf } from '../oci/index.ts'
import { type BlobReader, completeGraph, recordLayerFact, type Store } from '../store/index.ts'
import { invalidArchive } from './invalid-archive.ts'
import { ArchiveFile } from './members/archive-file.ts'
import { scanFile } from './members/scan-file.ts'
import { isPlain } from './members/scan-members.ts'
import { takeStream } from './members/take-stream.ts'
import type { ArchivedImage } from './read/archived-image.ts'
import { behindStore, FileBlobs } from './read/file-blobs.ts'
import { type ReadArchive, type ReadArchiveOptions, readArchive } from './read/read-archive.ts'
import { StreamBlobs } from './read/stream-blobs.ts'

/** What to load, and under which name. */
export interface LoadArchiveOptions extends ReadArchiveOptions {
  /** Name to give to the image instead of those in the archive. Only one image may be loaded then. */
  readonly name?: string | undefined
  /** Bytes that may come out of a compressed archive. @defaultValue no limit but the ratio of {@link decompress} */
  readonly maxBytes?: number | undefined
}

/** An image that was loaded. */
export interface LoadedImage extends ArchivedImage {
  /** The names it has in the store now; empty if it has none, and a collection may take it. */
  readonly names: readonly string[]
}

/**
 * Brings the images of an archive into a store: an OCI layout in a tar, what `docker save` writes, or both in one, plain or
 * compressed. Every blob is proven against its digest, configs and layers stay byte for byte what they are, and no name is
 * set before all images are whole. Loading again what is there reads little and changes nothing.
 *
 * The path of a plain file is read where things stand, and only what the images need. A pipe, a compressed file and a
 * stream are taken in one pass: everything in them is stored as it comes, what no image needs goes with the next collection.
 * Blobs that an archive leaves out may be in the store already.
 *
 * @throws as {@link openArchive}, and {@link DigestMismatchError} `ERR_DIGEST_MISMATCH`; nothing has a name then.
 */
export async function loadArchive(
  store: Store,
  source: string | ByteSource,
  options: LoadArchiveOptions = {},
): Promise<LoadedImage[]> {
  await using _lease = await store.leases.hold({ label: 'load an archive', signal: options.signal })
  const { images, layers } =
    typeof source === 'string' ? await loadFile(store, source, options) : await loadStream(store, source, options)
  if (images.length === 0) throw invalidArchive('its list of images is empty')
  for (const { descriptor } of images) assertDocument(descriptor)
  if (options.name !== undefined && images.length !== 1) {
    throw invalidArchive(`it holds ${images.length} images, which cannot all be named ${JSON.stringify(options.name)}`)
  }
  checkNames(images)
  for (const { descriptor, diffId } of layers) {
    await recordLayerFact(store, { digest: descriptor.digest, diffId, proven: true })
  }
  const loaded: LoadedImage[] = []
  for (const image of images) {
    const names = []
    for (const name of options.name === undefined ? image.names : [options.name]) {
      names.push(await store.references.set(name, image.descriptor, { signal: options.signal }))
    }
    loaded.push({ ...image, names })
  }
  return loaded
}

/** A name that stands for something whose children cannot be known would keep every collection from running. */
function assertDocument(descriptor: Descriptor): void {
  if (isDocumentRole(roleOf(descriptor))) return
  const { digest, mediaType } = descriptor
  throw new FormatError(
    'ERR_UNSUPPORTED_MEDIA_TYPE',
    `${digest} is neither manifest nor index: media type ${mediaType}`,
  )
}

/** SAFETY: readers differ in which of two images with one name gets it. */
function checkNames(images: readonly ArchivedImage[]): void {
  const taken = new Set<string>()
  for (const name of images.flatMap(image => image.names)) {
    if (taken.has(name)) throw invalidArchive(`${JSON.stringify(name)} stands for two images in it`)
    taken.add(name)
  }
}

async function loadFile(store: Store, path: string, options: LoadArchiveOptions): Promise<ReadArchive> {
  const file = await ArchiveFile.open(path)
  try {
    if (!file.isRegular || !(await isPlain(file))) return await loadStream(store, file.stream(options), options)
    const both = behindStore(new FileBlobs(options.hasher), store)
    const archive = await readArchive(await scanFile(file, options), both, options)
    await storeBlobs(store, both.reader, archive, options)
    return archive
  } catch (error) {
    // The same fault in a stream is found when the blob is stored.
    throw error instanceof BlobCorruptError && error.cause instanceof DigestMismatchError ? error.cause : error
  } finally {
    await file.close()
  }
}

async function loadStream(store: Store, source: ByteSource, options: LoadArchiveOptions): Promise<ReadArchive> {
  const taken = await takeStream(store, source, options)
  const blobs = new StreamBlobs(store, taken)
  const archive = await readArchive(taken.members, blobs, options)
  for (const { descriptor } of archive.images) {
    for (const digest of (await completeGraph(blobs, descriptor, options)).keys())
      await blobs.assertRight(digest, options)
  }
  return archive
}

/** The store hashes what comes; it would be hashed twice if reading did so as well. */
async function storeBlobs(
  store: Store,
  reader: BlobReader,
  { images }: ReadArchive,
  { signal, hasher }: AbortOptions & Pick<LoadArchiveOptions, 'hasher'>,
): Promise<void> {
  for (const { descriptor } of images) {
    for (const { digest, size } of (await completeGraph(reader, descriptor, { signal })).values()) {
      await store.put(reader.read(digest, { verify: 'never', signal }), { digest, size, hasher, signal })
    }
  }
}
