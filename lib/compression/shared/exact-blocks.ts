import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'

/** One block of a stream. */
export interface Block {
  /** A copy of its bytes. */
  readonly bytes: Uint8Array
  /** True for the last block of the stream. */
  readonly last: boolean
  /** Releases the buffer for a later block; do not read `bytes` afterwards. */
  readonly release: () => void
}

/**
 * Splits a stream into blocks of exactly `size` bytes, except the last one, regardless of chunk boundaries. Always
 * yields a last block; it is empty only if the stream is empty.
 *
 * PERF: released buffers are reused; V8 would free 1 MiB garbage buffers late.
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
        // Only a following byte proves that this block is not the last.
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
