import { damaged } from './damaged.ts'

/** Maximum content size of a block. */
export const MAX_BLOCK: number = 128 * 1024
/** Initial buffer capacity, before any content is decoded. */
const FIRST_CAPACITY = 2 * MAX_BLOCK
/**
 * PERF: the window is moved once per this many bytes of content: at most eight bytes are moved for each byte decoded.
 */
const MOST_SLACK = 16 * 1024 * 1024

/**
 * Decoded content of a frame: the window that matches refer to, followed by room for the literals of one block.
 *
 * SAFETY: a frame of 12 bytes may request a window of 128 MiB, and a stream may hold any number of such frames. If the
 * window were allocated, such a stream would exhaust memory or time; so the buffer grows with the content only, and the
 * next frame reuses it.
 */
export class FrameHistory {
  /** Content up to `end`, then room for one block, then its literals from `literals`. */
  bytes: Uint8Array = allocate(FIRST_CAPACITY)
  /** Index of the next content byte. */
  end = 0
  #capacity = FIRST_CAPACITY
  #window = 0
  #taken = 0
  #blockEnd = 0

  /** Index of the literals of the current block. */
  get literals(): number {
    return this.#capacity
  }

  /** Resets the state for a new frame. */
  beginFrame(window: number): void {
    this.end = 0
    this.#taken = 0
    this.#window = window
  }

  /** Makes room for a block of at most `most` bytes. Call `take` before more than a few blocks are waiting. */
  beginBlock(most: number): void {
    if (this.end + MAX_BLOCK > this.#capacity) this.#makeRoom()
    this.#blockEnd = this.end + most
  }

  /** Number of decoded bytes not yet taken. */
  get waiting(): number {
    return this.end - this.#taken
  }

  /** Returns a copy of the content decoded since the last call. */
  take(): Uint8Array {
    const made = this.bytes.slice(this.#taken, this.end)
    this.#taken = this.end
    return made
  }

  /** Appends bytes of another buffer. */
  append(bytes: Uint8Array): void {
    this.#check(bytes.byteLength)
    this.bytes.set(bytes, this.end)
    this.end += bytes.byteLength
  }

  /** Appends one byte `length` times. */
  fill(byte: number, length: number): void {
    this.#check(length)
    this.bytes.fill(byte, this.end, this.end + length)
    this.end += length
  }

  /** Appends literals from an index of the buffer. */
  copyLiterals(from: number, length: number): void {
    this.#check(length)
    const { bytes, end } = this
    if (length > 32) bytes.copyWithin(end, from, from + length)
    else for (let i = 0; i < length; i++) bytes[end + i] = bytes[from + i]!
    this.end += length
  }

  /** Appends a match that starts `offset` bytes before the end; it may overlap the bytes being appended. */
  copyMatch(offset: number, length: number): void {
    this.#check(length)
    const { bytes, end } = this
    if (offset > end || offset > this.#window) throw damaged('a match goes back behind the beginning')
    const from = end - offset
    if (length <= 32) {
      for (let i = 0; i < length; i++) bytes[end + i] = bytes[from + i]!
    } else if (offset >= length) {
      bytes.copyWithin(end, from, from + length)
    } else {
      // Each copied run can be a source for the next one: the step doubles.
      for (let done = 0, step = offset; done < length; step = offset + done) {
        const size = Math.min(step, length - done)
        bytes.copyWithin(end + done, from, from + size)
        done += size
      }
    }
    this.end += length
  }

  #check(length: number): void {
    if (this.end + length > this.#blockEnd) throw damaged('a block makes more than a block may')
  }

  #makeRoom(): void {
    const most = this.#window + Math.min(Math.max(this.#window, 8 * MAX_BLOCK), MOST_SLACK)
    if (this.#capacity < most) {
      // Grow to the maximum in one last step from at most half of it, so that the old and the new buffer together stay
      // below twice the window.
      const wanted = this.#capacity * 2 > most / 2 ? most : this.#capacity * 2
      const grown = allocate(wanted)
      grown.set(this.bytes.subarray(0, this.end))
      this.bytes = grown
      this.#capacity = wanted
    }
    if (this.end + MAX_BLOCK <= this.#capacity) return
    const from = Math.min(this.end - this.#window, this.#taken)
    this.bytes.copyWithin(0, from, this.end)
    this.end -= from
    this.#taken -= from
  }
}

/** Allocates without zero-filling: the operating system maps pages on first write, and only written bytes are read. */
function allocate(capacity: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(capacity + MAX_BLOCK).buffer)
}
