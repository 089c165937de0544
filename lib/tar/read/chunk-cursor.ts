import { BLOCK } from './header-block.ts'

const NOTHING = Buffer.alloc(0)

/** Position in a chunked stream. Returns whole blocks, or slices of the current chunk. */
export class ChunkCursor {
  /** Offset in the stream, in bytes; bytes of an incomplete block are not counted. */
  offset = 0
  /** Buffer that contains the block completed last. */
  block: Buffer = NOTHING
  /** Number of bytes collected of an incomplete block. */
  filled = 0
  readonly #pieces = Buffer.alloc(BLOCK)
  #chunk: Buffer = NOTHING
  #at = 0

  /** Sets the next chunk. */
  push(chunk: Uint8Array): void {
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#at = 0
  }

  /** Completes a block: returns its position in {@link ChunkCursor.block}, or -1 if the chunk ends before the block. */
  nextBlock(): number {
    const left = this.#chunk.byteLength - this.#at
    if (this.filled === 0 && left >= BLOCK) {
      this.block = this.#chunk
      this.offset += BLOCK
      this.#at += BLOCK
      return this.#at - BLOCK
    }
    const size = Math.min(BLOCK - this.filled, left)
    this.#chunk.copy(this.#pieces, this.filled, this.#at, this.#at + size)
    this.filled += size
    this.#at += size
    if (this.filled < BLOCK) return -1
    this.filled = 0
    this.block = this.#pieces
    this.offset += BLOCK
    return 0
  }

  /** Takes at most `most` bytes of the chunk; `undefined` if the chunk is used up. */
  take(most: number): Buffer | undefined {
    const size = this.skip(most)
    return size > 0 ? this.#chunk.subarray(this.#at - size, this.#at) : undefined
  }

  /** Skips at most `most` bytes of the chunk and returns the number skipped. */
  skip(most: number): number {
    const size = Math.min(most, this.#chunk.byteLength - this.#at)
    this.#at += size
    this.offset += size
    return size
  }
}
