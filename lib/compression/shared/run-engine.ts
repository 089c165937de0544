import { FormatError } from '../../errors/index.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import type { BytesCome, Engine } from './engine-input.ts'
import { feedEngine, type Surplus } from './feed-engine.ts'

/** Size of an output piece. PERF: 16 KiB 271 MB/s, 64 KiB 471, 256 KiB 581, 1 MiB 661 (gunzip of real layers). */
const OUTPUT_PIECE = 512 * 1024

/**
 * Engine options. Two pieces are buffered while the next is produced, so that a slow consumer does not stop the engine
 * at once.
 */
export const ENGINE_OPTIONS: { readonly chunkSize: number } = {
  chunkSize: OUTPUT_PIECE,
  ...{ highWaterMark: 2 * OUTPUT_PIECE },
}

/**
 * Runs a source through a node:zlib engine. Holds at most one input chunk (two with `ahead`) and three output pieces.
 * Passes the bytes that the engine does not consume to `surplus`, which must read them all.
 *
 * @throws {@link FormatError} `ERR_INVALID_COMPRESSION` for input that the engine refuses; errors of the source
 * unchanged.
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
    // The engine must not be destroyed while `surplus` still reads the input after its end.
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

/** Converts a zlib error about the input to a `FormatError`; returns other errors unchanged. */
export function asFormatError(cause: unknown): unknown {
  const { code = '', message } = cause as NodeJS.ErrnoException
  // An out-of-memory error of the engine says nothing about the input.
  if (!/^(Z_|ZSTD_|ERR_BUFFER_TOO_LARGE)/.test(code) || /MEM_ERROR|memory_allocation/.test(code)) return cause
  return new FormatError('ERR_INVALID_COMPRESSION', `compressed stream is damaged or truncated: ${message}`, { cause })
}
