import { assertOptions } from '../internal/assert-kind.ts'
import { pathOf } from '../internal/path-of.ts'
import { invalidArchive } from './invalid-archive.ts'
import { ArchiveFile } from './members/archive-file.ts'
import { scanMembers } from './members/scan-members.ts'
import { nameArchive } from './name-archive.ts'
import { ArchiveStore } from './read/archive-store.ts'
import { FileBlobs } from './read/file-blobs.ts'
import type { ImageArchive } from './read/image-archive.ts'
import { type ReadArchiveOptions, readArchive } from './read/read-archive.ts'

/**
 * Opens a file that holds images: an OCI layout in a tar, the output of `docker save`, or both in one, plain or
 * compressed.
 *
 * The headers of a plain archive are scanned once; then its files are read in place, and nothing is unpacked. A
 * compressed archive is decompressed for the scan and again for each blob that is read; to read all of it,
 * {@link loadArchive} is faster. An image of docker without a manifest gets a composed one; for that, its compressed
 * layers are read, because the archive does not state their digests.
 *
 * @example
 * ```ts
 * await using archive = await openArchive('app.tar')
 * const { descriptor } = archive.find('app:1.0')
 * ```
 *
 * @param file - A path, or a `file:` URL.
 * @throws {@link FormatError} `ERR_INVALID_LAYOUT` if the file is no image archive or is ambiguous; `ERR_INVALID_TAR`,
 * `ERR_INVALID_COMPRESSION`, `ERR_UNSUPPORTED_COMPRESSION`, and the codes of its documents.
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND`, {@link SizeMismatchError} `ERR_SIZE_MISMATCH`,
 * {@link BlobCorruptError} `ERR_BLOB_CORRUPT`, {@link DiffIdMismatchError} `ERR_DIFF_ID_MISMATCH` if an image is
 * incomplete or corrupt.
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED`, {@link StoreError} `ERR_STORE_IO`, {@link SourceError}
 * `ERR_SOURCE_NOT_FOUND` if it does not exist.
 */
export async function openArchive(file: string | URL, options: ReadArchiveOptions = {}): Promise<ImageArchive> {
  assertOptions(options)
  const path = pathOf(file, 'path')
  const archived = await ArchiveFile.open(path)
  try {
    if (!archived.isRegular) throw invalidArchive(`${JSON.stringify(path)} is not a regular file`)
    const blobs = new FileBlobs(options.hasher)
    const archive = await nameArchive(path, async () =>
      readArchive(await scanMembers(archived, options), blobs, options),
    )
    return new ArchiveStore(archive, blobs, () => archived.close())
  } catch (error) {
    await archived.close()
    throw error
  }
}
