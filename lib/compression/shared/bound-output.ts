import { LimitError } from '../../errors/index.ts'

/** Output size below which `maxRatio` is not enforced: a small highly compressible file is no attack. */
const RATIO_FREE_BYTES = 64 * 1024 * 1024

/**
 * Passes bytes through until a limit is exceeded.
 *
 * SAFETY: a gzip bomb expands 1,000 times, a zstd bomb 30,000 times. The decoder produces one chunk at a time, on
 * demand, so stopping here bounds time and memory.
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
