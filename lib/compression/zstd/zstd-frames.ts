import { FormatError } from '../../errors/index.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { ByteReader } from '../shared/byte-reader.ts'
import { type FrameHeader, frameHeaderSize, parseFrameHeader } from './frame-header.ts'

/** A piece of a frame: its header, one block, or its checksum, never split. */
export interface FramePiece {
  /** Bytes of the piece; they are never overwritten. */
  readonly bytes: Uint8Array
  /** Kind of the piece. */
  readonly part: 'header' | 'block' | 'checksum'
  /** Parsed header, only on the header piece. */
  readonly begins?: FrameHeader
  /** True for the last piece of the frame. */
  readonly ends: boolean
}

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const MAX_WINDOW = 128n * 1024n * 1024n
const MAX_BLOCK = 128 * 1024

/**
 * Walks the frames of a zstd stream by their headers without decoding a block, and drops skippable frames.
 *
 * NODE: node:zlib of Node 22 accepts a truncated frame and stops at a skippable frame; that of Node 24 skips some
 * garbage. This walk checks the frames itself, with the same result on every version.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1 | RFC 8878: frames}
 */
export async function* zstdFrames(source: ByteSource): AsyncGenerator<FramePiece, void, undefined> {
  const reader = new ByteReader(source, 'zstd stream')
  try {
    let frames = 0
    while (!(await reader.atEnd())) {
      const magic = uint32(await reader.take(4))
      if (magic === MAGIC) {
        frames++
        yield* frame(reader)
      } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) await reader.skip(uint32(await reader.take(4)))
      else throw new FormatError('ERR_INVALID_COMPRESSION', 'no zstd frame where one should begin')
    }
    if (frames === 0) throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd stream holds no frame')
  } finally {
    await reader.close()
  }
}

async function* frame(reader: ByteReader): AsyncGenerator<FramePiece, void, undefined> {
  const descriptor = (await reader.take(1))[0]!
  const rest = await reader.take(frameHeaderSize(descriptor) - 1)
  const bytes = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...rest])
  const begins = parseFrameHeader(bytes.subarray(4))
  // SAFETY: a decoder may allocate the window that the header requests, and a six-byte header may request terabytes.
  // Larger windows are refused before any decoder sees them.
  if (begins.windowSize > MAX_WINDOW) {
    throw new FormatError(
      'ERR_UNSUPPORTED_COMPRESSION',
      `zstd window of ${begins.windowSize} bytes is over the limit of ${MAX_WINDOW}`,
    )
  }
  yield { bytes, part: 'header', begins, ends: false }
  const maxBlock = Math.min(MAX_BLOCK, Number(begins.windowSize))
  for (let last = false; !last; ) {
    const block = await nextBlock(reader, maxBlock)
    last = block.last
    yield { bytes: block.bytes, part: 'block', ends: last && !begins.checksum }
  }
  if (begins.checksum) yield { bytes: (await reader.take(4)).slice(), part: 'checksum', ends: true }
}

async function nextBlock(reader: ByteReader, maxBlock: number): Promise<{ bytes: Uint8Array; last: boolean }> {
  const header = (await reader.take(3)).slice()
  const type = (header[0]! >> 1) & 3
  const size = (header[0]! >> 3) | (header[1]! << 5) | (header[2]! << 13)
  if (type === 3) throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd block of a reserved type')
  // SAFETY: a four-byte RLE block may claim 2 MiB, which would expand 500,000 times. The format allows 128 KiB, and
  // larger blocks are refused.
  if (size > maxBlock) {
    throw new FormatError('ERR_INVALID_COMPRESSION', `zstd block of ${size} bytes, at most ${maxBlock} may be`)
  }
  // Decoders differ here: one takes such a block as empty, another refuses it. It is refused.
  if (type === 2 && size < 2) throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd block without content')
  const content = await reader.take(type === 1 ? 1 : size)
  const bytes = new Uint8Array(3 + content.byteLength)
  bytes.set(header)
  bytes.set(content, 3)
  return { bytes, last: (header[0]! & 1) === 1 }
}

function uint32(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0
}
