import { BlobCorruptError, DigestMismatchError, FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { type ByteSource, keepFault } from '../internal/byte-source.ts'
import { pathOf } from '../internal/path-of.ts'
import { type Descriptor, isDocumentRole, roleOf } from '../oci/index.ts'
import { assertStore, type BlobReader, completeGraph, recordLayerFact, type Store } from '../store/index.ts'
import { invalidArchive } from './invalid-archive.ts'
import { ArchiveFile } from './members/archive-file.ts'
import { scanFile } from './members/scan-file.ts'
import { isPlain } from './members/scan-members.ts'
import { takeStream } from './members/take-stream.ts'
import { nameArchive } from './name-archive.ts'
import type { ArchivedImage } from './read/archived-image.ts'
import { behindStore, FileBlobs } from './read/file-blobs.ts'
import { isAttachedEntry, namesToLoad } from './read/names-to-load.ts'
import { type ReadArchive, type ReadArchiveOptions, readArchive } from './read/read-archive.ts'
import { StreamBlobs } from './read/stream-blobs.ts'
import { type VerifyArchived, verifyImages } from './read/verify-images.ts'

/** Options of {@link loadArchive}. */
export interface LoadArchiveOptions extends ReadArchiveOptions {
  /**
   * Name for the image, in place of those in the archive. With it, the call may load one image only, and what is
   * attached to it under tags of cosign.
   */
  readonly name?: string | undefined
  /**
   * Maximum decompressed size of a compressed archive in bytes. @defaultValue no limit except the ratio of
   * {@link decompress}
   */
  readonly maxBytes?: number | undefined
  /**
   * Verifies each image before it gets a name, with the signatures in the archive; `verifyAt` of a policy
   * (`loadPolicy` of `layerstore/trust`) is such a function. If it throws, no image gets a name.
   * @defaultValue no check
   */
  readonly verify?: VerifyArchived | undefined
}

/** A loaded image. */
export interface LoadedImage extends ArchivedImage {
  /** Names in the store; empty if the image has none, and then the next collection may remove it. */
  readonly names: readonly string[]
}

/**
 * Loads the images of an archive into a store: an OCI layout in a tar, the output of `docker save`, or both in one,
 * plain or compressed. Every blob is compared with its digest; configs and layers are kept byte for byte. Names are set
 * after all images are complete. Loading the same images again reads little and changes nothing.
 *
 * A plain file is read in place, and only the blobs that the images need. A pipe, a compressed file and a stream are
 * read in one pass: every file in them is stored when it arrives, and the next collection removes those that no image
 * needs. Blobs that an archive omits may be in the store already.
 *
 * @example
 * ```ts
 * const [loaded] = await loadArchive(store, 'app.tar')
 * console.log(loaded?.names, loaded?.descriptor.digest)
 * ```
 *
 * @throws the errors of {@link openArchive} and of `verify`, and {@link DigestMismatchError} `ERR_DIGEST_MISMATCH`;
 * then no name has been set.
 */
export async function loadArchive(
  store: Store,
  source: string | URL | ByteSource,
  options: LoadArchiveOptions = {},
): Promise<LoadedImage[]> {
  keepFault(source)
  assertStore(store, ['stat', 'put', 'ingest', 'references', 'leases', 'derived'])
  assertOptions(options)
  await using _lease = await store.leases.hold({ label: 'load an archive', signal: options.signal })
  const { images, layers } =
    typeof source === 'string' || source instanceof URL
      ? await nameArchive(String(source), () => loadFile(store, pathOf(source, 'source'), options))
      : await loadStream(store, source, options)
  if (images.length === 0) throw invalidArchive('its list of images is empty')
  for (const { descriptor } of images) assertDocument(descriptor)
  if (options.name !== undefined && images.filter(image => !isAttachedEntry(image)).length !== 1) {
    throw invalidArchive(`${images.length} images cannot all have the name ${JSON.stringify(options.name)}`)
  }
  checkNames(images, options.name)
  for (const { descriptor, diffId } of layers) {
    await recordLayerFact(store, { digest: descriptor.digest, diffId, proven: true })
  }
  const loaded: LoadedImage[] = []
  for (const image of images) {
    const names = []
    for (const name of namesToLoad(image, options.name)) {
      names.push(await store.references.set(name, image.descriptor, { signal: options.signal, anyConfig: true }))
    }
    loaded.push({ ...image, names })
  }
  return loaded
}

/**
 * A name must refer to a manifest or index: with an unknown document, whose children cannot be read, every collection
 * would fail.
 */
function assertDocument(descriptor: Descriptor): void {
  if (isDocumentRole(roleOf(descriptor))) return
  const { digest, mediaType } = descriptor
  throw new FormatError(
    'ERR_UNSUPPORTED_MEDIA_TYPE',
    `${digest} is neither manifest nor index: media type ${mediaType}`,
  )
}

/**
 * SAFETY: if two images of an archive have one name, readers differ in which image gets it, so the archive is rejected.
 */
function checkNames(images: readonly ArchivedImage[], given: string | undefined): void {
  const taken = new Set<string>()
  // Two tags of one image may become the same name if a name is given.
  for (const name of images.flatMap(image => [...new Set(namesToLoad(image, given))])) {
    if (taken.has(name)) throw invalidArchive(`two images have the name ${JSON.stringify(name)}`)
    taken.add(name)
  }
}

async function loadFile(store: Store, path: string, options: LoadArchiveOptions): Promise<ReadArchive> {
  const file = await ArchiveFile.open(path)
  try {
    if (!file.isRegular || !(await isPlain(file))) return await loadStream(store, file.stream(options), options)
    const both = behindStore(new FileBlobs(options.hasher), store)
    const members = await scanFile(file, options)
    const archive = await readArchive(members, both, options)
    await verifyImages(archive, members, both.reader, options)
    await storeBlobs(store, both.reader, archive, options)
    return archive
  } catch (error) {
    // A stream reports the same fault when it stores the blob.
    throw error instanceof BlobCorruptError && error.cause instanceof DigestMismatchError ? error.cause : error
  } finally {
    await file.close()
  }
}

async function loadStream(store: Store, source: ByteSource, options: LoadArchiveOptions): Promise<ReadArchive> {
  const taken = await takeStream(store, source, options)
  const blobs = new StreamBlobs(store, taken)
  const archive = await readArchive(taken.members, blobs, options)
  await verifyImages(archive, taken.members, blobs, options)
  for (const { descriptor } of archive.images) {
    for (const digest of (await completeGraph(blobs, descriptor, options)).keys())
      await blobs.assertRight(digest, options)
  }
  return archive
}

/** Copies the blobs into the store. The source does not verify them, because the store hashes every blob. */
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
