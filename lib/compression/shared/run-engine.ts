import { FormatError } from '../../errors/index.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import type { BytesCome, Engine } from './engine-input.ts'
import { feedEngine, type Surplus } from './feed-engine.ts'

/** Bytes of each piece of output. PERF: 16 KiB 271 MB/s, 64 KiB 471, 256 KiB 581, 1 MiB 661 (gunzip of real layers). */
const OUTPUT_PIECE = 512 * 1024

/** Options of an engine; two pieces wait while the next is made, so that a busy reader does not stop it at once. */
export const ENGINE_OPTIONS: { readonly chunkSize: number } = {
  chunkSize: OUTPUT_PIECE,
  ...{ highWaterMark: 2 * OUTPUT_PIECE },
}

/**
 * Runs the bytes of a source through an engine of node:zlib. At most one chunk and three pieces of output are held, with
 * `ahead` the next chunk, too. What the engine leaves unread goes to `surplus`, which must read it all.
 *
 * @throws {@link FormatError} `ERR_INVALID_COMPRESSION` for what the engine refuses; what the source throws, as it is.
 */
export async function* runEngine(
  open: () => Engine,
  source: ByteSource,
  surplus: Surplus,
  ahead?: BytesCome,
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = open()
  let failure: { error: unknown } | undefined
  const feeding = feedEngine(engine, source, surplus, ahead).catch((error: unknown) => {
    failure = { error }
    engine.destroy()
  })
  try {
    // The iterator must not destroy the engine while the input after its end is still being looked at.
    for await (const piece of engine.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) yield piece
    await feeding
  } catch (cause) {
    if (!failure) throw asFormatError(cause)
  } finally {
    engine.destroy()
    await feeding
  }
  if (failure) throw (failure as { error: unknown }).error
}

/** The library's error for what an engine refuses; anything else as it is. */
export function asFormatError(cause: unknown): unknown {
  const { code = '', message } = cause as NodeJS.ErrnoException
  // An engine out of memory says nothing about the input.
  if (!/^(Z_|ZSTD_|ERR_BUFFER_TOO_LARGE)/.test(code) || /MEM_ERROR|memory_allocation/.test(code)) return cause
  return new FormatError('ERR_INVALID_COMPRESSION', `compressed stream is damaged or truncated: ${message}`, { cause })
}
