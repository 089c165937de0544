import { type ByteSource, chunksOf, keepFault } from '../internal/byte-source.ts'
import type { Digest } from './digest.ts'
import { createDigester, type DigesterOptions } from './digester.ts'
import { createStreamDigester } from './stream-digester.ts'

/**
 * Computes the digest of a buffer or a stream. A stream is read once and not kept; a long stream does not block the
 * calling thread.
 *
 * @example
 * ```ts
 * const digest = await digestOf(createReadStream('app.tar'))
 * ```
 *
 * @throws {@link HasherError} `ERR_HASHER` if the worker thread that hashes a long stream has crashed.
 */
export async function digestOf(source: ByteSource, options: DigesterOptions = {}): Promise<Digest> {
  keepFault(source)
  // PERF: a buffer needs no stream digester, whose set-up costs more than hashing a small buffer.
  const digester = source instanceof Uint8Array ? await createDigester(options) : await createStreamDigester(options)
  try {
    for await (const chunk of chunksOf(source)) await digester.update(chunk)
    return await digester.digest()
  } finally {
    digester.release()
  }
}
