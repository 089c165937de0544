import { LimitError, SizeMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { collectBytes } from '../internal/collect-bytes.ts'
import { type Descriptor, Limits } from '../oci/index.ts'
import type { BlobReader } from './blob-store.ts'

/** Options of {@link readDocument}. */
export interface ReadDocumentOptions extends AbortOptions {
  /** Maximum size in bytes. @defaultValue `Limits.manifestBytes` */
  readonly limit?: number | undefined
}

/**
 * Reads the whole of a small blob: a manifest, an index or a config. Always verified, whatever the policy of the store,
 * and of exactly the size that the descriptor states.
 *
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` before anything is read if the descriptor is over the limit.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH` if the size in the descriptor is wrong.
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
