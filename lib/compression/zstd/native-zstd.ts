import { FormatError } from '../../errors/index.ts'
import { asFormatError, ENGINE_OPTIONS, runEngine } from '../shared/run-engine.ts'
import type { PlatformZstd } from './platform-zstd.ts'
import type { FramePiece } from './zstd-frames.ts'

const INPUT_PIECE = 256 * 1024
const SMALL_CONTENT = 256n * 1024n

/**
 * Opens frames with the engine of node:zlib, a new one for each frame: the engine stops at the end of a frame, and of a
 * row of frames given at once it silently opens only some.
 */
export async function* openNatively(
  platform: PlatformZstd,
  pieces: AsyncGenerator<FramePiece, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const options = { ...ENGINE_OPTIONS, params: { [platform.constants.ZSTD_d_windowLogMax]: 27 } }
  // Read by the engine before the next piece is asked for, so one is enough.
  const buffer = Buffer.allocUnsafeSlow(INPUT_PIECE)
  try {
    for (let first = await pieces.next(); !first.done; first = await pieces.next()) {
      const { contentSize = SMALL_CONTENT + 1n } = first.value.begins!
      const input = joinFrame(first.value, pieces, buffer)
      const head = (await input.next()).value as JoinedPieces
      // PERF: an engine as a stream costs 100 µs, one call 26 µs: images of many small frames have tens of thousands.
      if (head.last && contentSize <= SMALL_CONTENT) yield openSmall(platform, head.bytes, Number(contentSize))
      else yield* runEngine(() => platform.createZstdDecompress(options), bytesOf(head, input), refuseAll)
    }
  } finally {
    await pieces.return()
  }
}

interface JoinedPieces {
  readonly bytes: Uint8Array
  readonly last: boolean
}

/** Blocks go in by the quarter MiB: each call into the engine is a trip to another thread and back. */
async function* joinFrame(
  first: FramePiece,
  pieces: AsyncGenerator<FramePiece, void, undefined>,
  buffer: Buffer,
): AsyncGenerator<JoinedPieces, void, undefined> {
  let filled = 0
  for (let piece: FramePiece | undefined = first; piece; ) {
    if (filled + piece.bytes.byteLength > buffer.byteLength) {
      yield { bytes: buffer.subarray(0, filled), last: false }
      filled = 0
    }
    buffer.set(piece.bytes, filled)
    filled += piece.bytes.byteLength
    piece = piece.ends ? undefined : ((await pieces.next()).value ?? undefined)
  }
  yield { bytes: buffer.subarray(0, filled), last: true }
}

async function* bytesOf(
  head: JoinedPieces,
  rest: AsyncIterable<JoinedPieces>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head.bytes
  for await (const { bytes } of rest) yield bytes
}

function openSmall(platform: PlatformZstd, frame: Uint8Array, contentSize: number): Uint8Array {
  try {
    return platform.zstdDecompressSync(frame, { maxOutputLength: Math.max(contentSize, 1) })
  } catch (cause) {
    throw asFormatError(cause)
  }
}

/** The engine was given one whole frame; if it stops before the end of it, it has misunderstood something. */
async function refuseAll(): Promise<void> {
  throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd frame ends before its last block')
}
