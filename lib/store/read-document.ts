import { LimitError, SizeMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { collectBytes } from '../internal/collect-bytes.ts'
import { type Descriptor, Limits } from '../oci/index.ts'
import type { BlobReader } from './blob-store.ts'

/** How to read a document. */
export interface ReadDocumentOptions extends AbortOptions {
  /** Bytes that it may have at most. @defaultValue `Limits.manifestBytes` */
  readonly limit?: number | undefined
}

/**
 * The whole of a small blob: a manifest, an index, a config. Always verified, whatever the store's policy is, and of
 * exactly the size that the descriptor says.
 *
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` before anything is read if the descriptor is over the limit.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH` if the descriptor is wrong about the size.
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND`, {@link BlobCorruptError} `ERR_BLOB_CORRUPT`.
 */
export async function readDocument(
  store: BlobReader,
  descriptor: Descriptor,
  options: ReadDocumentOptions = {},
): Promise<Uint8Array> {
  const { digest, size } = descriptor
  const limit = options.limit ?? Limits.manifestBytes
  const what = `document ${digest}`
  if (size > limit) throw new LimitError('document bytes', { limit, actual: size, where: digest })
  const bytes = await collectBytes(store.read(digest, { signal: options.signal, verify: 'always' }), limit, what)
  if (bytes.byteLength !== size) throw new SizeMismatchError({ expected: size, actual: bytes.byteLength, what })
  return bytes
}
