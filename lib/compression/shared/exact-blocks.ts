import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'

/** One block of a stream. */
export interface Block {
  /** A copy of its bytes. */
  readonly bytes: Uint8Array
  /** Whether the stream ends with it. */
  readonly last: boolean
}

/**
 * Cuts a stream into blocks of exactly `size` bytes, the last one excepted, however it is cut into chunks. There is always
 * a last block; it is empty only if the stream is.
 *
 * @param spare - Whole blocks that nobody needs any more, to be filled again.
 */
export async function* exactBlocks(
  source: ByteSource,
  size: number,
  spare: Uint8Array[],
): AsyncGenerator<Block, void, undefined> {
  let block = spare.pop() ?? Buffer.allocUnsafeSlow(size)
  let filled = 0
  for await (const chunk of chunksOf(source)) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (filled === size) {
        // Only the next byte tells that this block is not the last.
        yield { bytes: block, last: false }
        block = spare.pop() ?? Buffer.allocUnsafeSlow(size)
        filled = 0
      }
      const take = Math.min(size - filled, chunk.byteLength - at)
      block.set(chunk.subarray(at, at + take), filled)
      filled += take
      at += take
    }
  }
  yield { bytes: block.subarray(0, filled), last: true }
}
