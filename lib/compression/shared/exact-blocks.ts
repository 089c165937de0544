import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'

/** One block of a stream. */
export interface Block {
  /** A copy of its bytes. */
  readonly bytes: Uint8Array
  /** Whether the stream ends with it. */
  readonly last: boolean
  /** Gives its memory back, for a later block: nobody may look at the bytes after that. */
  readonly release: () => void
}

/**
 * Cuts a stream into blocks of exactly `size` bytes, the last one excepted, however it is cut into chunks. There is always
 * a last block; it is empty only if the stream is.
 *
 * PERF: blocks that were released are filled again; garbage of a MiB each would wait long for V8 to collect it.
 */
export async function* exactBlocks(source: ByteSource, size: number): AsyncGenerator<Block, void, undefined> {
  const spare: Buffer<ArrayBuffer>[] = []
  const blockOf = (buffer: Buffer<ArrayBuffer>, length: number, last: boolean): Block => ({
    bytes: buffer.subarray(0, length),
    last,
    release: () => spare.push(buffer),
  })
  let block = Buffer.allocUnsafeSlow(size)
  let filled = 0
  for await (const chunk of chunksOf(source)) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (filled === size) {
        // Only the next byte tells that this block is not the last.
        yield blockOf(block, size, false)
        block = spare.pop() ?? Buffer.allocUnsafeSlow(size)
        filled = 0
      }
      const take = Math.min(size - filled, chunk.byteLength - at)
      block.set(chunk.subarray(at, at + take), filled)
      filled += take
      at += take
    }
  }
  yield blockOf(block, filled, true)
}
