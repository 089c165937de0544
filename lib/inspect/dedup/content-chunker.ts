import { invalidArgument } from '../../internal/invalid-argument.ts'
import type { ChunkSizes } from './dedup-report.ts'

/** A byte leaves the hash after this many further bytes. */
const WINDOW = 32

/** Pseudo-random numbers, the same in every process: chunks of two runs must be equal. */
const GEAR = gearTable()

/**
 * Splits streams at boundaries that their content defines, so that an insertion changes only the chunks around it.
 *
 * SPEC: FastCDC (Xia et al., USENIX ATC 2016): a gear hash, no cut before `min`, and two masks that keep sizes near
 * `mean`: below it a cut is four times less likely than chance, above it four times more.
 */
export class ContentChunker {
  readonly #sizes: ChunkSizes
  readonly #strict: number
  readonly #loose: number
  readonly #buffer: Buffer
  #filled = 0

  /** @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for sizes out of order, or a mean that is no power of 2. */
  constructor(sizes: ChunkSizes) {
    const { min, mean, max } = sizes
    const bits = Math.log2(mean)
    const isValid = Number.isInteger(bits) && bits >= 6 && bits <= 24 && min >= WINDOW && min < mean && mean < max
    if (!isValid || max > 2 ** 26)
      throw invalidArgument('chunks', 'sizes with min < mean < max, mean a power of 2', sizes)
    this.#sizes = sizes
    this.#strict = upperBits(bits + 2)
    this.#loose = upperBits(bits - 2)
    this.#buffer = Buffer.allocUnsafe(Math.max(4 * max, 2 ** 18))
  }

  /** Adds bytes of the current stream; yields the chunks that are complete. A chunk is valid until the next call. */
  *push(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    for (let taken = 0; taken < bytes.byteLength; ) {
      const part = bytes.subarray(taken, taken + this.#buffer.byteLength - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.byteLength
      taken += part.byteLength
      yield* this.#cut(this.#sizes.max)
    }
  }

  /** Ends the current stream and yields the rest of it. */
  *end(): Generator<Uint8Array, void, undefined> {
    yield* this.#cut(1)
  }

  /** Yields chunks while at least `least` bytes are there. */
  *#cut(least: number): Generator<Uint8Array, void, undefined> {
    let start = 0
    while (this.#filled - start >= least) {
      const end = this.#cutAfter(start)
      yield this.#buffer.subarray(start, end)
      start = end
    }
    this.#buffer.copyWithin(0, start, this.#filled)
    this.#filled -= start
  }

  #cutAfter(start: number): number {
    const { min, mean, max } = this.#sizes
    const limit = Math.min(start + max, this.#filled)
    const middle = Math.min(start + mean, limit)
    const buffer = this.#buffer
    let hash = 0
    let at = Math.min(start + min - WINDOW, limit)
    for (const end = Math.min(start + min, limit); at < end; at++) hash = ((hash << 1) + GEAR[buffer[at]!]!) | 0
    for (const [end, mask] of [
      [middle, this.#strict],
      [limit, this.#loose],
    ] as const) {
      for (; at < end; at++) {
        hash = ((hash << 1) + GEAR[buffer[at]!]!) | 0
        if ((hash & mask) === 0) return at + 1
      }
    }
    return limit
  }
}

/** The upper bits of the hash: they depend on the most bytes. */
function upperBits(bits: number): number {
  return -1 << (32 - bits)
}

/** Numbers of the generator xorshift32, from a fixed seed. */
function gearTable(): Int32Array {
  let state = 0x9e3779b9
  return Int32Array.from({ length: 256 }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state | 0
  })
}
