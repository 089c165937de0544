import { damaged } from './damaged.ts'
import { FseTable } from './fse-table.ts'
import { lastBit } from './huffman-table.ts'
import type { BlockInput } from './literals.ts'

/** SPEC: baselines and extra bits of the length codes (RFC 8878, 3.1.1.3.2.1.1). */
const LITERAL_BITS = codes(16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const LITERAL_BASES = bases(LITERAL_BITS, 0)
const MATCH_BITS = codes(32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const MATCH_BASES = bases(MATCH_BITS, 3)
/** An offset of more bits exceeds every accepted window. */
const MAX_OFFSET_BITS = 27

const LITERALS = { maxLog: 9, maxSymbol: 35 }
const MATCHES = { maxLog: 9, maxSymbol: 52 }
const OFFSETS = { maxLog: 8, maxSymbol: 31 }

// biome-ignore format: the tables of RFC 8878, 3.1.1.3.2.2
const DEFAULT_LITERALS = [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1]
// biome-ignore format: as above
const DEFAULT_MATCHES = [1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1]
// biome-ignore format: as above
const DEFAULT_OFFSETS = [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]

/** A table that is described in the block, repeated from an earlier block, or predefined. */
class ChosenTable {
  table: FseTable | undefined
  readonly #own: FseTable
  readonly #given: FseTable

  constructor(limits: { maxLog: number; maxSymbol: number }, log: number, counts: readonly number[]) {
    this.#own = new FseTable(limits)
    this.#given = new FseTable(limits)
    this.#given.build(log, counts)
  }

  choose(mode: number, input: BlockInput): FseTable {
    if (mode === 0) this.table = this.#given
    else if (mode === 1) {
      if (input.at >= input.end) throw damaged('a table without an end')
      this.#own.repeat(input.bytes[input.at++]!)
      this.table = this.#own
    } else if (mode === 2) {
      input.at = this.#own.read(input.bytes, input.at, input.end)
      this.table = this.#own
    }
    if (!this.table) throw damaged('a block without the table of an earlier one')
    return this.table
  }
}

/**
 * Reads the sequences of a block: a number of literals, then a match of `length` bytes at `offset`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.3.2 | RFC 8878: sequences section}
 */
export class SequenceReader {
  /** Number of literals of the current sequence. */
  literals = 0
  /** Length of its match. */
  length = 0
  /** Distance of its match. */
  offset = 0
  readonly #literals = new ChosenTable(LITERALS, 6, DEFAULT_LITERALS)
  readonly #matches = new ChosenTable(MATCHES, 6, DEFAULT_MATCHES)
  readonly #offsets = new ChosenTable(OFFSETS, 5, DEFAULT_OFFSETS)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #start = 0
  #position = 0
  /** Entries of the current tables, and below the current entry of each state. */
  #literalEntries: Uint32Array = new Uint32Array(1)
  #matchEntries: Uint32Array = new Uint32Array(1)
  #offsetEntries: Uint32Array = new Uint32Array(1)
  #literal = 0
  #match = 0
  #offset = 0
  /** SPEC: the three repeat offsets (RFC 8878, 3.1.1.5). */
  #recent = 1
  #second = 4
  #third = 8

  /** Resets the state for a new frame. */
  beginFrame(): void {
    for (const chosen of [this.#literals, this.#matches, this.#offsets]) chosen.table = undefined
    this.#recent = 1
    this.#second = 4
    this.#third = 8
  }

  /** Reads the header of the sequences section; returns the number of sequences. */
  begin(input: BlockInput): number {
    const count = readCount(input)
    if (count === 0) {
      if (input.at !== input.end) throw damaged('bytes behind the last sequence')
      return 0
    }
    if (input.at >= input.end) throw damaged('sequences without tables')
    const modes = input.bytes[input.at++]!
    if (modes & 3) throw damaged('a reserved bit')
    const literals = this.#literals.choose(modes >> 6, input)
    const offsets = this.#offsets.choose((modes >> 4) & 3, input)
    const matches = this.#matches.choose((modes >> 2) & 3, input)
    this.#view = input.view
    this.#start = input.at * 8
    this.#position = lastBit(input.bytes, input.at, input.end)
    this.#literalEntries = literals.entries
    this.#offsetEntries = offsets.entries
    this.#matchEntries = matches.entries
    this.#literal = literals.entries[this.#read(literals.log)]!
    this.#offset = offsets.entries[this.#read(offsets.log)]!
    this.#match = matches.entries[this.#read(matches.log)]!
    return count
  }

  /** Reads the next sequence. */
  next(isLast: boolean): void {
    const code = this.#offset & 255
    if (code > MAX_OFFSET_BITS) throw damaged('a match goes back behind the beginning')
    const value = (1 << code) + (code > 16 ? this.#read(code - 16) * 65536 + this.#read(16) : this.#read(code))
    const match = this.#match & 255
    this.length = MATCH_BASES[match]! + this.#read(MATCH_BITS[match]!)
    const literal = this.#literal & 255
    this.literals = LITERAL_BASES[literal]! + this.#read(LITERAL_BITS[literal]!)
    this.offset = value > 3 ? this.#remember(value - 3) : this.#repeat(value)
    if (isLast) {
      if (this.#position !== this.#start) throw damaged('sequences that do not fill their stream')
      return
    }
    this.#literal = this.#literalEntries[(this.#literal >>> 16) + this.#read((this.#literal >> 8) & 255)]!
    this.#match = this.#matchEntries[(this.#match >>> 16) + this.#read((this.#match >> 8) & 255)]!
    this.#offset = this.#offsetEntries[(this.#offset >>> 16) + this.#read((this.#offset >> 8) & 255)]!
    // Between two of these checks fewer than 16 bytes are read, and the padding before the block has 16.
    if (this.#position < this.#start) throw damaged('sequences that do not fill their stream')
  }

  #remember(offset: number): number {
    this.#third = this.#second
    this.#second = this.#recent
    this.#recent = offset
    return offset
  }

  /** SPEC: offset values 1 to 3 select a repeat offset; with zero literals, the one after it (RFC 8878, 3.1.1.5). */
  #repeat(value: number): number {
    const which = this.literals === 0 ? value + 1 : value
    if (which === 1) return this.#recent
    const offset = which === 2 ? this.#second : which === 3 ? this.#third : this.#recent - 1
    if (offset === 0) throw damaged('a match with itself')
    if (which > 2) this.#third = this.#second
    this.#second = this.#recent
    this.#recent = offset
    return offset
  }

  /** Reads at most 25 bits, backwards from the end of the stream. */
  #read(count: number): number {
    const position = this.#position - count
    this.#position = position
    return (this.#view.getUint32(position >> 3, true) >>> (position & 7)) & ((1 << count) - 1)
  }
}

function readCount(input: BlockInput): number {
  const { bytes, at, end } = input
  const first = at < end ? bytes[at]! : 255
  const size = first < 128 ? 1 : first < 255 ? 2 : 3
  input.at += size
  if (input.at > end) throw damaged('sequences without an end')
  if (size === 1) return first
  return size === 2 ? ((first - 128) << 8) | bytes[at + 1]! : (bytes[at + 1]! | (bytes[at + 2]! << 8)) + 0x7f00
}

/** Returns the extra bits of each code: none for the first `plain` codes. */
function codes(plain: number, bits: readonly number[]): Uint8Array {
  return Uint8Array.from([...new Array<number>(plain).fill(0), ...bits])
}

/** Returns the baseline of each code: it begins where the values of the previous code end. */
function bases(bits: Uint8Array, first: number): Uint32Array {
  const list = new Uint32Array(bits.length)
  let next = first
  for (const [code, width] of bits.entries()) {
    list[code] = next
    next += 2 ** width
  }
  return list
}
