import { damaged } from './damaged.ts'

/** Limits of a table, known before it is read. */
export interface FseLimits {
  /** Maximum accuracy log. */
  readonly maxLog: number
  /** Largest allowed symbol. */
  readonly maxSymbol: number
}

/**
 * A finite state entropy (FSE) decoding table, refilled for each description.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-4.1 | RFC 8878: FSE}
 */
export class FseTable {
  /** Accuracy log: the number of bits of an initial state. */
  log = 0
  /**
   * Per state: the symbol, the number of bits to read (from bit 8), and the baseline they are added to (from bit 16).
   */
  readonly entries: Uint32Array
  readonly #limits: FseLimits
  readonly #counts: Int16Array
  readonly #next: Uint16Array

  constructor(limits: FseLimits) {
    this.#limits = limits
    this.entries = new Uint32Array(1 << limits.maxLog)
    this.#counts = new Int16Array(limits.maxSymbol + 1)
    this.#next = new Uint16Array(limits.maxSymbol + 1)
  }

  /** Builds an RLE table: one symbol, which takes no bits. */
  repeat(symbol: number): void {
    if (symbol > this.#limits.maxSymbol) throw damaged('a symbol that does not exist')
    this.log = 0
    this.entries[0] = symbol
  }

  /** Builds the table from counts; -1 is "less than one". */
  build(log: number, counts: readonly number[]): void {
    this.#counts.set(counts)
    this.#spread(log, counts.length)
  }

  /** Reads a description and builds the table; returns the index after it. */
  read(bytes: Uint8Array, at: number, end: number): number {
    const bits = new ForwardBits(bytes, at, end)
    const log = bits.read(4) + 5
    if (log > this.#limits.maxLog) throw damaged('a table that is too large')
    const counts = this.#counts
    let symbols = 0
    for (let left = 1 << log; left > 0; ) {
      if (symbols > this.#limits.maxSymbol) throw damaged('a table of too many symbols')
      const count = readCount(bits, left)
      left -= Math.abs(count)
      counts[symbols++] = count
      if (count !== 0) continue
      for (let more = 3; more === 3; ) {
        more = bits.read(2)
        if (symbols + more > this.#limits.maxSymbol + 1) throw damaged('a table of too many symbols')
        counts.fill(0, symbols, symbols + more)
        symbols += more
      }
    }
    const behind = bits.behind()
    this.#spread(log, symbols)
    return behind
  }

  #spread(log: number, symbols: number): void {
    const { entries } = this
    const counts = this.#counts
    const next = this.#next
    const size = 1 << log
    let high = size
    for (let symbol = 0; symbol < symbols; symbol++) {
      next[symbol] = counts[symbol] === -1 ? 1 : counts[symbol]!
      if (counts[symbol] === -1) entries[--high] = symbol
    }
    const step = (size >> 1) + (size >> 3) + 3
    let position = 0
    for (let symbol = 0; symbol < symbols; symbol++) {
      for (let i = 0; i < counts[symbol]!; i++) {
        entries[position] = symbol
        do position = (position + step) & (size - 1)
        while (position >= high)
      }
    }
    for (let state = 0; state < size; state++) {
      const symbol = entries[state]!
      const count = next[symbol]!++
      const bits = log - (31 - Math.clz32(count))
      entries[state] = (((count << bits) - size) << 16) | (bits << 8) | symbol
    }
    this.log = log
  }
}

/** Reads one count: the smaller `left`, the fewer bits it takes, and small values take one bit less. */
function readCount(bits: ForwardBits, left: number): number {
  const width = 32 - Math.clz32(left + 1)
  const short = bits.read(width - 1)
  const unused = (1 << width) - 2 - left
  if (short < unused) return short - 1
  const value = short | (bits.read(1) << (width - 1))
  return (value < 1 << (width - 1) ? value : value - unused) - 1
}

/** Reads bits forward, from the lowest bit of the first byte. */
class ForwardBits {
  readonly #bytes: Uint8Array
  readonly #end: number
  #position: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#end = end * 8
    this.#position = at * 8
  }

  /** Reads at most 16 bits. */
  read(count: number): number {
    const at = this.#position
    this.#position += count
    if (this.#position > this.#end) throw damaged('a table without an end')
    const first = at >> 3
    const bytes = this.#bytes
    const word = bytes[first]! | (bytes[first + 1]! << 8) | (bytes[first + 2]! << 16)
    return (word >> (at & 7)) & ((1 << count) - 1)
  }

  /** Returns the index of the first byte of which no bit was read. */
  behind(): number {
    return (this.#position + 7) >> 3
  }
}
