/**
 * What is given at a time, where so much has come: what a store writes without gathering it. PERF: pieces of 256 KiB take
 * 10 % more processor time, some of 1 MiB up to twice as much in the system.
 */
const PIECE_BYTES = 512 * 1024
/** Memory of one body under way: a piece that is looked at, and one that comes. PERF: more of them gain nothing. */
const RING_BYTES = 2 * PIECE_BYTES
/** Below this there is no room: it is not worth a call of the system. */
const LEAST_ROOM = 128 * 1024
/** Rings kept for the next bodies: as many as a registry has downloads at a time. */
const KEPT = 4

const kept: Uint8Array<ArrayBuffer>[] = []

/**
 * Memory that is filled at one place while it is emptied at another, without a copy. What was given is the taker's until
 * `free`.
 */
export class BodyRing {
  #memory: Uint8Array<ArrayBuffer> | undefined = kept.pop() ?? Buffer.allocUnsafeSlow(RING_BYTES)
  /** Bytes since the beginning that came, were given, and are not needed any more. */
  #came = 0
  #given = 0
  #freed = 0

  /** Bytes that came and were not given. */
  get waiting(): number {
    return this.#came - this.#given
  }

  /** Bytes that still have to come before the next piece is whole. */
  get missing(): number {
    return PIECE_BYTES - (this.#given % PIECE_BYTES) - this.waiting
  }

  get hasRoom(): boolean {
    return RING_BYTES - (this.#came - this.#freed) >= LEAST_ROOM
  }

  /**
   * Where the next bytes go, `most` at most. SAFETY: without room this is memory that somebody may still look at: nothing
   * must be read into it before there is room again, and then it is free.
   */
  room(most: number): Uint8Array {
    const free = Math.max(LEAST_ROOM, RING_BYTES - (this.#came - this.#freed))
    const from = this.#came % RING_BYTES
    return this.#of(from, Math.min(RING_BYTES - from, free, most))
  }

  /** Bytes have come, where `room` said or elsewhere. */
  took(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const place = this.room(bytes.byteLength - at)
      const isThere = place.buffer === bytes.buffer && place.byteOffset === bytes.byteOffset + at
      if (!isThere) place.set(bytes.subarray(at, at + place.byteLength))
      this.#came += place.byteLength
      at += place.byteLength
    }
  }

  /** Of what came, what can be given in one piece. */
  give(): Uint8Array {
    const from = this.#given % RING_BYTES
    const length = Math.min(this.waiting, PIECE_BYTES - (from % PIECE_BYTES))
    this.#given += length
    return this.#of(from, length)
  }

  /** What was given is not looked at any more. */
  free(): void {
    this.#freed = this.#given
  }

  /** Gives the memory to the next ring. Nobody may write to it, or look at what was given, after that. */
  release(): void {
    if (this.#memory && kept.length < KEPT) kept.push(this.#memory)
    this.#memory = undefined
  }

  #of(from: number, length: number): Uint8Array {
    if (!this.#memory) throw new Error('a ring that was released')
    return this.#memory.subarray(from, from + length)
  }
}
