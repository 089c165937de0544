import { type Borrowed, owned } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'

/**
 * Size of one block in bytes. PERF: a write or hash call costs about the same for 64 KiB as for 512 KiB; sockets
 * deliver 64 KiB.
 */
export const WRITE_BLOCK_BYTES = 512 * 1024
/** Size of the first buffer: enough for a small blob. */
const SMALL_BYTES = 16 * 1024
/** Number of idle blocks kept for later writers. */
const KEPT = 8

const blocks = new Pool<Uint8Array<ArrayBuffer>>(() => Buffer.allocUnsafeSlow(WRITE_BLOCK_BYTES), KEPT)

/** Copies small chunks into blocks, one block after the other. Blocks are reused. */
export class BlockGatherer {
  #block: Borrowed<Uint8Array<ArrayBuffer>> | undefined
  #filled = 0

  /** Number of bytes gathered since the last `take`. */
  get filled(): number {
    return this.#filled
  }

  /** Copies as much of the chunk as fits and returns the number of bytes copied; 0 if the block is full. */
  add(chunk: Uint8Array): number {
    const block = this.#blockFor(chunk.byteLength)
    const taken = Math.min(chunk.byteLength, block.byteLength - this.#filled)
    block.set(taken === chunk.byteLength ? chunk : chunk.subarray(0, taken), this.#filled)
    this.#filled += taken
    return taken
  }

  /** Lends the bytes gathered. */
  take(): Borrowed<Uint8Array> {
    const { value, release } = this.#block ?? owned(new Uint8Array())
    const bytes = value.subarray(0, this.#filled)
    this.#block = undefined
    this.#filled = 0
    return { value: bytes, release }
  }

  /** Discards the bytes gathered. */
  clear(): void {
    this.take().release()
  }

  #blockFor(more: number): Uint8Array {
    if (!this.#block) {
      this.#block = more <= SMALL_BYTES ? owned(Buffer.allocUnsafeSlow(SMALL_BYTES)) : blocks.borrow()
    } else if (this.#block.value.byteLength === SMALL_BYTES && this.#filled + more > SMALL_BYTES) {
      const block = blocks.borrow()
      block.value.set(this.#block.value.subarray(0, this.#filled))
      this.#block = block
    }
    return this.#block.value
  }
}
