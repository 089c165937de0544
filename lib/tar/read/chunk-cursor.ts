import { BLOCK } from './header-block.ts'

const NOTHING = Buffer.alloc(0)

/** A place in a stream that comes chunk by chunk, and what can be had there: a whole block, or what is left of the chunk. */
export class ChunkCursor {
  /** Place in the stream; bytes of a block begun are not counted. */
  offset = 0
  /** Where the block stands that was completed last. */
  block: Buffer = NOTHING
  /** Bytes of a block that has only come in part. */
  filled = 0
  readonly #pieces = Buffer.alloc(BLOCK)
  #chunk: Buffer = NOTHING
  #at = 0

  /** Goes on to the next chunk. */
  push(chunk: Uint8Array): void {
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#at = 0
  }

  /** Completes a block: its place in {@link ChunkCursor.block}, or -1 if the chunk is used up before. */
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

  /** At most so many bytes of the chunk; `undefined` if it is used up. */
  take(most: number): Buffer | undefined {
    const size = this.skip(most)
    return size > 0 ? this.#chunk.subarray(this.#at - size, this.#at) : undefined
  }

  /** Passes over at most so many bytes of the chunk; tells how many. */
  skip(most: number): number {
    const size = Math.min(most, this.#chunk.byteLength - this.#at)
    this.#at += size
    this.offset += size
    return size
  }
}
