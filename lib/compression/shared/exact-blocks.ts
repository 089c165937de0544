import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { Borrowed } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'

/**
 * A copy of the bytes of one block of a stream.
 *
 * @internal
 */
export interface Block extends Borrowed<Uint8Array> {
  /** True for the last block of the stream. */
  readonly last: boolean
}

/**
 * Splits a stream into blocks of exactly `size` bytes, except the last one, regardless of chunk boundaries. Always
 * yields a last block; it is empty only if the stream is empty.
 *
 * PERF: released buffers are reused; V8 would free 1 MiB garbage buffers late.
 *
 * @internal
 */
export async function* exactBlocks(source: ByteSource, size: number): AsyncGenerator<Block, void, undefined> {
  const pool = new Pool(() => Buffer.allocUnsafeSlow(size))
  let { value: block, release } = pool.borrow()
  let filled = 0
  for await (const chunk of chunksOf(source)) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (filled === size) {
        // Only a following byte proves that this block is not the last.
        yield { value: block, release, last: false }
        ;({ value: block, release } = pool.borrow())
        filled = 0
      }
      const take = Math.min(size - filled, chunk.byteLength - at)
      block.set(chunk.subarray(at, at + take), filled)
      filled += take
      at += take
    }
  }
  yield { value: block.subarray(0, filled), release, last: true }
}
