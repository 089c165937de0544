import { FormatError } from '../../errors/index.ts'
import { asFormatError, ENGINE_OPTIONS, runEngine } from '../shared/run-engine.ts'
import type { PlatformZstd } from './platform-zstd.ts'
import { PortableFrames } from './portable/portable-frames.ts'
import type { FramePiece } from './zstd-frames.ts'

const INPUT_PIECE = 256 * 1024
const SMALL_CONTENT = 256n * 1024n
/**
 * Frames below this size are decoded without the engine.
 *
 * SAFETY: an engine per frame costs 0.1 ms on Node 22 and 0.9 ms on Node 24; a stream of 12-byte frames would cost a
 * minute per MB.
 */
const SMALL_FRAME = 16 * 1024

/**
 * Decodes frames with node:zlib, with a new engine for each frame.
 *
 * NODE: the engine stops at the end of a frame; given several frames at once, it silently decodes only some of them
 * (Node 22, 24).
 */
export async function* openNatively(
  platform: PlatformZstd,
  pieces: AsyncGenerator<FramePiece, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let small: PortableFrames | undefined
  try {
    for (let first = await pieces.next(); !first.done; first = await pieces.next()) {
      const head = await beginningOf(first.value, pieces)
      if (head.at(-1)?.ends) {
        small ??= new PortableFrames()
        await small.prepare(first.value)
        for (const piece of head) {
          const made = small.take(piece)
          if (made) yield made
        }
      } else yield* openLarge(platform, first.value.begins?.contentSize, head, pieces)
    }
  } finally {
    await pieces.return()
  }
}

/** Collects the first pieces of a frame: all of them if the frame is small. */
async function beginningOf(first: FramePiece, pieces: AsyncIterator<FramePiece>): Promise<FramePiece[]> {
  const head = [first]
  for (let size = first.bytes.byteLength; size < SMALL_FRAME; ) {
    const step = await pieces.next()
    if (step.done) break
    head.push(step.value)
    if (step.value.ends) break
    size += step.value.bytes.byteLength
  }
  return head
}

async function* openLarge(
  platform: PlatformZstd,
  contentSize: bigint | undefined,
  head: readonly FramePiece[],
  pieces: AsyncIterator<FramePiece>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const options = { ...ENGINE_OPTIONS, params: { [platform.constants.ZSTD_d_windowLogMax]: 27 } }
  const input = joinFrame(head, pieces)
  const start = (await input.next()).value as JoinedPieces
  // PERF: an engine stream costs 100 µs, one call 26 µs; images with one small frame per file have tens of thousands.
  if (start.last && contentSize !== undefined && contentSize <= SMALL_CONTENT) {
    yield openAtOnce(platform, start.bytes, Number(contentSize))
  } else yield* runEngine(() => platform.createZstdDecompress(options), bytesOf(start, input), refuseAll)
}

interface JoinedPieces {
  readonly bytes: Uint8Array
  readonly last: boolean
}

/** Joins blocks to input pieces of 256 KiB: each engine call costs two thread switches. */
async function* joinFrame(
  head: readonly FramePiece[],
  pieces: AsyncIterator<FramePiece>,
): AsyncGenerator<JoinedPieces, void, undefined> {
  // The engine consumes the buffer before it requests the next piece, so one buffer is enough.
  const buffer = Buffer.allocUnsafeSlow(INPUT_PIECE)
  let filled = 0
  for (let i = 0, ended = false; !ended; i++) {
    const piece = head[i] ?? ((await pieces.next()).value as FramePiece | undefined)
    if (!piece) break
    if (filled + piece.bytes.byteLength > buffer.byteLength) {
      yield { bytes: buffer.subarray(0, filled), last: false }
      filled = 0
    }
    buffer.set(piece.bytes, filled)
    filled += piece.bytes.byteLength
    ended = piece.ends
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

function openAtOnce(platform: PlatformZstd, frame: Uint8Array, contentSize: number): Uint8Array {
  try {
    return platform.zstdDecompressSync(frame, { maxOutputLength: Math.max(contentSize, 1) })
  } catch (cause) {
    throw asFormatError(cause)
  }
}

/** Throws if the engine leaves input: it was given exactly one frame, so it must consume all of it. */
async function refuseAll(): Promise<void> {
  throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd frame ends before its last block')
}
