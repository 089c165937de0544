import { BlobNotFoundError } from '../errors/index.ts'
import type { Descriptor } from '../oci/index.ts'
import type { BlobReader } from './blob-store.ts'
import { type ReadDocumentOptions, readDocument } from './read-document.ts'

/**
 * As {@link readDocument}, for callers that can handle a missing document. `stat` followed by a read is not the same:
 * between the two another process may collect the blob.
 *
 * @returns the bytes, or `undefined` if the store has no such blob.
 * @throws as {@link readDocument}, but for `ERR_BLOB_NOT_FOUND`.
 */
export async function findDocument(
  store: BlobReader,
  descriptor: Descriptor,
  options: ReadDocumentOptions = {},
): Promise<Uint8Array | undefined> {
  try {
    return await readDocument(store, descriptor, options)
  } catch (error) {
    if (error instanceof BlobNotFoundError) return undefined
    throw error
  }
}
