import type { Borrowed } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'

/**
 * Largest chunk that `give` returns: a store writes it without gathering. PERF: pieces of 256 KiB take 10 % more
 * processor time; pieces of 1 MiB take up to twice the system time.
 */
const PIECE_BYTES = 512 * 1024
/**
 * Memory of one body: one piece that the caller reads and one that is being received. PERF: more pieces gain nothing.
 */
const RING_BYTES = 2 * PIECE_BYTES
/** Less free memory than this counts as none: it is not worth a system call. */
const LEAST_ROOM = 128 * 1024
/** Number of idle rings kept for later bodies: the default number of concurrent downloads of a registry. */
const KEPT = 4

const rings = new Pool<Uint8Array<ArrayBuffer>>(() => Buffer.allocUnsafeSlow(RING_BYTES), KEPT)

/**
 * Ring buffer that the socket fills at one end while the caller reads at the other, without a copy. A chunk that `give`
 * returned is borrowed until `releaseGiven`.
 */
export class BodyRing {
  #memory: Borrowed<Uint8Array> | undefined = rings.borrow()
  /** Numbers of bytes received, given to the caller, and released by the caller, since the start of the body. */
  #came = 0
  #given = 0
  #released = 0

  /** Bytes received but not given yet. */
  get waiting(): number {
    return this.#came - this.#given
  }

  /** Bytes still to receive until the next piece is complete. */
  get missing(): number {
    return PIECE_BYTES - (this.#given % PIECE_BYTES) - this.waiting
  }

  get hasRoom(): boolean {
    return RING_BYTES - (this.#came - this.#released) >= LEAST_ROOM
  }

  /**
   * Returns the memory for the next bytes, at most `most`.
   *
   * SAFETY: if `hasRoom` is false, this memory overlaps a chunk that the caller still reads, and a read into it would
   * corrupt that chunk. The socket must stay stopped until `hasRoom` is true; the memory is free then.
   */
  room(most: number): Uint8Array {
    const free = Math.max(LEAST_ROOM, RING_BYTES - (this.#came - this.#released))
    const from = this.#came % RING_BYTES
    return this.#of(from, Math.min(RING_BYTES - from, free, most))
  }

  /** Adds received bytes. Copies them only if they are not already in the memory that `room` returned. */
  took(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const place = this.room(bytes.byteLength - at)
      const isThere = place.buffer === bytes.buffer && place.byteOffset === bytes.byteOffset + at
      if (!isThere) place.set(bytes.subarray(at, at + place.byteLength))
      this.#came += place.byteLength
      at += place.byteLength
    }
  }

  /** Returns the next received bytes that lie in one piece. */
  give(): Uint8Array {
    const from = this.#given % RING_BYTES
    const length = Math.min(this.waiting, PIECE_BYTES - (from % PIECE_BYTES))
    this.#given += length
    return this.#of(from, length)
  }

  /** Releases the chunks given so far: the caller no longer reads them. */
  releaseGiven(): void {
    this.#released = this.#given
  }

  /**
   * Releases the memory to the pool of rings. The socket must not write to it afterwards, nor the caller read from it.
   */
  release(): void {
    this.#memory?.release()
    this.#memory = undefined
  }

  #of(from: number, length: number): Uint8Array {
    if (!this.#memory) throw new Error('a ring that was released')
    return this.#memory.value.subarray(from, from + length)
  }
}
