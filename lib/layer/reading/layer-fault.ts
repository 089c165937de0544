import { DiffIdMismatchError, FormatError, LimitError, RootfsError, SizeMismatchError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { BlobReader } from '../../store/index.ts'

/**
 * Returns the error to report for a layer that could not be read: `ERR_BLOB_CORRUPT` if the stored blob is damaged,
 * otherwise `error`.
 *
 * PERF: a layer with a diffID is read without computing the digest of its blob, because the diffID verifies the result.
 * Only after a failure is the blob read again, to distinguish damage in the store, which a pull repairs, from a layer
 * that was made wrong.
 *
 * @internal
 */
export async function layerFault(
  store: Pick<BlobReader, 'read'>,
  { digest }: Descriptor,
  error: unknown,
  { signal }: AbortOptions,
): Promise<unknown> {
  if (!isAboutContent(error)) return error
  try {
    for await (const _ of store.read(digest, { signal, verify: 'always' })) void _
    return error
  } catch (damage) {
    return damage
  }
}

function isAboutContent(error: unknown): boolean {
  if (error instanceof RootfsError) return error.layer !== undefined
  return [FormatError, LimitError, SizeMismatchError, DiffIdMismatchError].some(kind => error instanceof kind)
}
