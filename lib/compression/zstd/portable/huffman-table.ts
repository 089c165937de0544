import { damaged } from './damaged.ts'
import { FseTable } from './fse-table.ts'

/** SPEC: maximum code length of a literal (RFC 8878, 4.2.1). */
const MAX_BITS = 11
const MAX_SYMBOLS = 256

/**
 * The Huffman codes of literals, refilled for each description.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-4.2 | RFC 8878: Huffman coding}
 */
export class HuffmanTable {
  /** Length of the longest code in bits; 0 before a table is read. */
  bits = 0
  /** Per value of that many bits: the literal, and the length of its code (from bit 8). */
  readonly entries: Uint16Array = new Uint16Array(1 << MAX_BITS)
  readonly #weights = new Uint8Array(MAX_SYMBOLS)
  readonly #fse = new FseTable({ maxLog: 6, maxSymbol: MAX_BITS + 1 })

  /** Reads a description and builds the table; returns the index after it. */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) throw damaged('literals without a table')
    const head = bytes[at]!
    const isDirect = head >= 128
    const behind = at + 1 + (isDirect ? (head - 126) >> 1 : head)
    if (behind > end) throw damaged('a table without an end')
    const count = isDirect ? this.#readDirect(bytes, at + 1, head - 127) : this.#readWeights(bytes, at + 1, behind)
    this.#build(count)
    return behind
  }

  /** Reads weights of four bits each. */
  #readDirect(bytes: Uint8Array, at: number, count: number): number {
    for (let i = 0; i < count; i++) {
      const byte = bytes[at + (i >> 1)]!
      this.#weights[i] = i & 1 ? byte & 15 : byte >> 4
    }
    return count
  }

  /** Reads weights from two alternating FSE states, until either has no bits left. */
  #readWeights(bytes: Uint8Array, at: number, end: number): number {
    const fse = this.#fse
    const start = fse.read(bytes, at, end) * 8
    const { entries, log } = fse
    let position = lastBit(bytes, start >> 3, end)
    const read = (count: number): number => {
      position -= count
      const word = bytes[position >> 3]! | (bytes[(position >> 3) + 1]! << 8)
      return (word >> (position & 7)) & ((1 << count) - 1)
    }
    if (position - 2 * log < start) throw damaged('a table without weights')
    let [state, other] = [entries[read(log)]!, entries[read(log)]!]
    for (let count = 0; ; ) {
      if (count > MAX_SYMBOLS - 3) throw damaged('a table of too many symbols')
      this.#weights[count++] = state & 255
      const bits = (state >> 8) & 255
      if (position - bits < start) {
        this.#weights[count++] = other & 255
        return count
      }
      const next = entries[(state >>> 16) + read(bits)]!
      state = other
      other = next
    }
  }

  /** SPEC: weight 0 is an absent literal; otherwise the code length is `bits + 1 - weight` (RFC 8878, 4.2.1). */
  #build(count: number): void {
    const weights = this.#weights
    let sum = 0
    for (let i = 0; i < count; i++) {
      if (weights[i]! > MAX_BITS) throw damaged('a code that is too long')
      sum += (1 << weights[i]!) >> 1
    }
    const bits = 32 - Math.clz32(sum)
    const rest = (1 << bits) - sum
    // The last weight is implicit: it completes the table.
    if (sum === 0 || bits > MAX_BITS || (rest & (rest - 1)) !== 0) throw damaged('codes that do not fill their table')
    weights[count] = 32 - Math.clz32(rest)
    this.#fill(count + 1, bits)
    this.bits = bits
  }

  #fill(symbols: number, bits: number): void {
    const weights = this.#weights
    let at = 0
    for (let weight = 1; weight <= bits; weight++) {
      const first = at
      for (let symbol = 0; symbol < symbols; symbol++) {
        if (weights[symbol] !== weight) continue
        const next = at + (1 << (weight - 1))
        this.entries.fill(((bits + 1 - weight) << 8) | symbol, at, next)
        at = next
      }
      // Codes of the maximum length come in pairs.
      if (weight === 1 && (at - first < 2 || (at - first) & 1)) throw damaged('codes that do not fill their table')
    }
  }
}

/** Returns the end of a backward bit stream: the position of its final 1 bit, the end mark. */
export function lastBit(bytes: Uint8Array, start: number, end: number): number {
  const last = end > start ? bytes[end - 1]! : 0
  if (last === 0) throw damaged('bits without an end')
  return end * 8 - (Math.clz32(last) - 23)
}
