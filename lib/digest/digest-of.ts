import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import type { Digest } from './digest.ts'
import { createDigester, type DigesterOptions } from './digester.ts'
import { createStreamDigester } from './stream-digester.ts'

/**
 * The digest of a buffer or a stream. A stream is read once and not kept; a long one does not hold up the calling thread.
 *
 * @throws {@link HasherError} `ERR_HASHER` if the thread that hashes a long stream has crashed.
 */
export async function digestOf(source: ByteSource, options: DigesterOptions = {}): Promise<Digest> {
  // PERF: many small inputs must not pay for what streams need.
  const digester = source instanceof Uint8Array ? await createDigester(options) : await createStreamDigester(options)
  try {
    for await (const chunk of chunksOf(source)) await digester.update(chunk)
    return await digester.digest()
  } finally {
    digester.release()
  }
}
