import { LimitError } from '../../errors/index.ts'

/** Output below this is never too much for its input: small texts of one repeated letter are no attack. */
const RATIO_FREE_BYTES = 64 * 1024 * 1024

/**
 * Passes bytes through until there are too many of them.
 *
 * SAFETY: a gzip bomb grows a thousandfold, a zstd one thirtythousandfold. The engine makes one chunk at a time and only
 * when it is asked for, so stopping here bounds time and memory.
 */
export async function* boundOutput(
  source: AsyncIterable<Uint8Array>,
  limits: {
    readonly maxBytes: number | undefined
    readonly maxRatio: number
    readonly input: { readonly bytes: number }
    readonly signal: AbortSignal | undefined
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { maxBytes = Number.POSITIVE_INFINITY, maxRatio, input, signal } = limits
  let bytes = 0
  for await (const chunk of source) {
    signal?.throwIfAborted()
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new LimitError('decompressed bytes', { limit: maxBytes, actual: bytes })
    if (bytes > RATIO_FREE_BYTES && bytes > input.bytes * maxRatio) {
      const actual = Math.ceil(bytes / input.bytes)
      throw new LimitError('decompressed bytes for each compressed byte', { limit: maxRatio, actual })
    }
    yield chunk
  }
}
