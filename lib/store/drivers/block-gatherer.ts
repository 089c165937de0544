/**
 * Bytes of one block. PERF: calls cost about the same for 64 KiB as for 512 KiB, to the disk and to the thread that hashes;
 * sockets give 64 KiB.
 */
export const WRITE_BLOCK_BYTES = 512 * 1024
/** What a small blob needs at most. */
const SMALL_BYTES = 16 * 1024
/** Blocks kept for the next writers. */
const KEPT = 8

const kept: Uint8Array<ArrayBuffer>[] = []

/** Copies small chunks into one block after the other. Blocks are used again. */
export class BlockGatherer {
  #block: Uint8Array<ArrayBuffer> | undefined
  #filled = 0

  /** Bytes gathered since the last `take`. */
  get filled(): number {
    return this.#filled
  }

  /** Copies as much of the chunk as there is room for, and tells how many bytes that was; 0 says that the block is full. */
  add(chunk: Uint8Array): number {
    const block = this.#blockFor(chunk.byteLength)
    const taken = Math.min(chunk.byteLength, block.byteLength - this.#filled)
    block.set(taken === chunk.byteLength ? chunk : chunk.subarray(0, taken), this.#filled)
    this.#filled += taken
    return taken
  }

  /** What was gathered, and what gives its memory back; nobody may look at the bytes after that. */
  take(): { readonly bytes: Uint8Array; readonly release: () => void } {
    const block = this.#block ?? new Uint8Array()
    const bytes = block.subarray(0, this.#filled)
    this.#block = undefined
    this.#filled = 0
    return { bytes, release: () => giveBack(block) }
  }

  /** Drops what was gathered. */
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

function giveBack(block: Uint8Array<ArrayBuffer>): void {
  if (block.byteLength === WRITE_BLOCK_BYTES && kept.length < KEPT) kept.push(block)
}
