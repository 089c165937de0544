/**
 * Size of one block in bytes. PERF: a write or hash call costs about the same for 64 KiB as for 512 KiB; sockets
 * deliver 64 KiB.
 */
export const WRITE_BLOCK_BYTES = 512 * 1024
/** Size of the first buffer: enough for a small blob. */
const SMALL_BYTES = 16 * 1024
/** Number of idle blocks kept for later writers. */
const KEPT = 8

const kept: Uint8Array<ArrayBuffer>[] = []

/** Copies small chunks into blocks, one block after the other. Blocks are reused. */
export class BlockGatherer {
  #block: Uint8Array<ArrayBuffer> | undefined
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

  /**
   * Returns the bytes gathered and a function that releases their memory; the bytes must not be read after the release.
   */
  take(): { readonly bytes: Uint8Array; readonly release: () => void } {
    const block = this.#block ?? new Uint8Array()
    const bytes = block.subarray(0, this.#filled)
    this.#block = undefined
    this.#filled = 0
    return { bytes, release: () => releaseBlock(block) }
  }

  /** Discards the bytes gathered. */
  clear(): void {
    this.take().release()
  }

  #blockFor(more: number): Uint8Array {
    if (!this.#block) {
      this.#block = more <= SMALL_BYTES ? Buffer.allocUnsafeSlow(SMALL_BYTES) : borrow()
    } else if (this.#block.byteLength === SMALL_BYTES && this.#filled + more > SMALL_BYTES) {
      const block = borrow()
      block.set(this.#block.subarray(0, this.#filled))
      this.#block = block
    }
    return this.#block
  }
}

function borrow(): Uint8Array<ArrayBuffer> {
  return kept.pop() ?? Buffer.allocUnsafeSlow(WRITE_BLOCK_BYTES)
}

function releaseBlock(block: Uint8Array<ArrayBuffer>): void {
  if (block.byteLength === WRITE_BLOCK_BYTES && kept.length < KEPT) kept.push(block)
}
