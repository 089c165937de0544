import { damaged } from './damaged.ts'

/** Bytes that one block makes at most. */
export const MAX_BLOCK: number = 128 * 1024
/** What is allocated before anything is known of the content. */
const FIRST_CAPACITY = 2 * MAX_BLOCK
/** PERF: the window is moved once in so many bytes of content: at most eight bytes are moved for each. */
const MOST_SLACK = 16 * 1024 * 1024

/**
 * The content of a frame while it is made: what matches refer to, and room for the literals of one block behind it.
 *
 * SAFETY: the buffer grows with the content, never with the window that a header asks for, and the next frame uses it
 * again: a frame of 12 bytes may ask for a window of 128 MiB, and a stream holds any number of them.
 */
export class FrameHistory {
  /** The content so far up to `end`, then room for one block, then its literals from `literals` on. */
  bytes: Uint8Array = allocate(FIRST_CAPACITY)
  /** Where the next byte of content goes. */
  end = 0
  #capacity = FIRST_CAPACITY
  #window = 0
  #taken = 0
  #blockEnd = 0

  /** Where the literals of a block are laid out. */
  get literals(): number {
    return this.#capacity
  }

  /** Begins with a frame. */
  beginFrame(window: number): void {
    this.end = 0
    this.#taken = 0
    this.#window = window
  }

  /** Makes room for a block of at most so many bytes. Take what is made before that is more than a few blocks. */
  beginBlock(most: number): void {
    if (this.end + MAX_BLOCK > this.#capacity) this.#makeRoom()
    this.#blockEnd = this.end + most
  }

  /** Bytes made and not taken yet. */
  get waiting(): number {
    return this.end - this.#taken
  }

  /** A copy of what was made since the last call. */
  take(): Uint8Array {
    const made = this.bytes.slice(this.#taken, this.end)
    this.#taken = this.end
    return made
  }

  /** Adds bytes that stand somewhere else. */
  append(bytes: Uint8Array): void {
    this.#check(bytes.byteLength)
    this.bytes.set(bytes, this.end)
    this.end += bytes.byteLength
  }

  /** Adds one byte, repeated. */
  fill(byte: number, length: number): void {
    this.#check(length)
    this.bytes.fill(byte, this.end, this.end + length)
    this.end += length
  }

  /** Adds bytes from a place in the buffer: literals. */
  copyLiterals(from: number, length: number): void {
    this.#check(length)
    const { bytes, end } = this
    if (length > 32) bytes.copyWithin(end, from, from + length)
    else for (let i = 0; i < length; i++) bytes[end + i] = bytes[from + i]!
    this.end += length
  }

  /** Adds bytes that the content has so far back; they may run into those that are being added. */
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
      // What was copied is there to be copied again: the distance doubles.
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
      // A last step from half of it at most, so that old and new together are not twice the window.
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

/** Not filled with zeros: the system gives pages when they are written to, and nothing is read that was not written. */
function allocate(capacity: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(capacity + MAX_BLOCK).buffer)
}
