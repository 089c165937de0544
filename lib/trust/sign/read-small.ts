import { verifyBytes } from '../../digest/index.ts'
import { LimitError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { TransferSource } from '../../transfer/index.ts'

/** SAFETY: every user with push rights can attach a referrer; its payload is held in memory. */
const MOST_BYTES = 16 * 1024 * 1024

/**
 * Reads a payload of a signature, from the descriptor if it carries the content, and compares it with its digest.
 *
 * @throws {@link LimitError} above 16 MiB; {@link DigestMismatchError}, {@link SizeMismatchError}, and the errors of
 * the source.
 */
export async function readSmall(
  source: TransferSource,
  descriptor: Descriptor,
  { signal }: AbortOptions,
): Promise<Uint8Array> {
  const { data, size, digest } = descriptor
  const what = 'bytes of a signature'
  if (size > MOST_BYTES) throw new LimitError(what, { limit: MOST_BYTES, actual: size, where: digest })
  const content =
    data === undefined ? source.readBlob(descriptor, { offset: 0, signal }) : [Buffer.from(data, 'base64')]
  return collectBytes(verifyBytes(content, descriptor), MOST_BYTES, what)
}
