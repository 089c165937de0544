import { FormatError } from '../../errors/index.ts'
import type { FramePiece } from './zstd-frames.ts'

/**
 * Opens frames with fzstd. It verifies no content checksum; the size that a frame announces is checked here.
 *
 * SAFETY: fzstd opens all it is given in one synchronous call. One block at a time bounds that to 128 KiB of output.
 */
export async function* openPortably(pieces: AsyncIterable<FramePiece>): AsyncGenerator<Uint8Array, void, undefined> {
  const { Decompress } = await import('fzstd')
  let output: Uint8Array[] = []
  const open = () => new Decompress(chunk => void output.push(chunk))
  let engine = open()
  let expected: bigint | undefined
  let size = 0n
  for await (const { bytes, begins, ends } of pieces) {
    if (begins) {
      engine = open()
      expected = begins.contentSize
      size = 0n
    }
    // The engine keeps input for later, while a piece is only valid until the next.
    push(engine, bytes.slice(), ends)
    for (const chunk of output) {
      size += BigInt(chunk.byteLength)
      if (chunk.byteLength > 0) yield chunk
    }
    output = []
    if (ends && expected !== undefined && size !== expected) {
      throw new FormatError('ERR_INVALID_COMPRESSION', `zstd frame of ${expected} bytes holds ${size}`)
    }
  }
}

function push(engine: { push(chunk: Uint8Array, final: boolean): void }, bytes: Uint8Array, last: boolean): void {
  try {
    engine.push(bytes, last)
  } catch (cause) {
    // Whatever it trips over, also by a range or type error, is in the input: the frames' structure was checked before.
    throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd stream is damaged', { cause })
  }
}
