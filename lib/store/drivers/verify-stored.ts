import { type Digest, type HasherEngine, verifyBytes } from '../../digest/index.ts'
import { BlobCorruptError, DigestMismatchError, SizeMismatchError } from '../../errors/index.ts'
import type { BlobInfo } from '../blob-store.ts'

/** Blobs up to this size are verified in less time than the start of a hasher takes. */
const DOCUMENT_BYTES = 64 * 1024

/**
 * Passes the bytes of a stored blob on and ends only if they match its digest and size; throws `ERR_BLOB_CORRUPT`
 * otherwise.
 */
export async function* verifyStored(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  blob: BlobInfo,
  hasher: HasherEngine,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    // PERF: to verify needs no state that can be saved. A program that reads a few documents does not load the wasm.
    const isDocument = blob.size <= DOCUMENT_BYTES && !blob.digest.startsWith('blake3:')
    yield* verifyBytes(source, blob, { hasher: isDocument ? 'native' : hasher })
  } catch (cause) {
    throw asCorrupt(blob.digest, cause)
  }
}

function asCorrupt(digest: Digest, cause: unknown): unknown {
  const { expected, actual } = cause as { expected: unknown; actual: unknown }
  if (cause instanceof SizeMismatchError) {
    return new BlobCorruptError({ digest, expected: `size ${expected}`, actual: `size ${actual}` }, { cause })
  }
  if (cause instanceof DigestMismatchError) {
    return new BlobCorruptError({ digest, expected: String(expected), actual: String(actual) }, { cause })
  }
  return cause
}
