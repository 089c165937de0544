import { damaged } from './damaged.ts'
import type { FrameHistory } from './frame-history.ts'
import { type HuffmanTable, lastBit } from './huffman-table.ts'

/** Reading state of a block. */
export interface BlockInput {
  /** Buffer with the block content, padded on both sides; the padding may be read but its value is never used. */
  readonly bytes: Uint8Array
  /** View of the same bytes. */
  readonly view: DataView
  /** Index of the next byte of the block. */
  at: number
  /** Index after the last byte of the block. */
  readonly end: number
}

/** Header of a literals section. */
interface LiteralsHeader {
  readonly type: number
  /** Number of literals. */
  readonly size: number
  /** Compressed size in bytes. */
  readonly stored: number
  readonly streams: 1 | 4
}

/**
 * Decodes the literals of a block to {@link FrameHistory.literals}; returns their number.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.3.1 | RFC 8878: literals section}
 */
export function readLiterals(input: BlockInput, history: FrameHistory, table: HuffmanTable, most: number): number {
  const { type, size, stored, streams } = readHeader(input)
  if (size > most) throw damaged('more literals than a block may make')
  const { bytes, at } = input
  const to = history.literals
  input.at += stored
  if (input.at > input.end) throw damaged('literals without an end')
  if (type === 0) history.bytes.set(bytes.subarray(at, at + size), to)
  else if (type === 1) history.bytes.fill(bytes[at]!, to, to + size)
  else {
    // A block of type 3 (treeless) reuses the table of the previous block.
    const from = type === 2 ? table.read(bytes, at, input.at) : at
    if (table.bits === 0) throw damaged('literals without a table')
    const output = { bytes: history.bytes, at: to, size }
    if (streams === 1) readStream(input, { start: from, end: input.at }, table, output)
    else readStreams(input, { start: from, end: input.at }, table, output)
  }
  return size
}

function readHeader(input: BlockInput): LiteralsHeader {
  const { view, at } = input
  const first = view.getUint8(at)
  const type = first & 3
  const format = (first >> 2) & 3
  if (type < 2) {
    const length = format === 1 ? 2 : format === 3 ? 3 : 1
    const size = (view.getUint32(at, true) & (2 ** (8 * length) - 1)) >>> (length === 1 ? 3 : 4)
    input.at += length
    return { type, size, stored: type === 0 ? size : 1, streams: 1 }
  }
  const width = [10, 10, 14, 18][format]!
  input.at += [3, 3, 4, 5][format]!
  const mask = (1 << width) - 1
  const size = (view.getUint32(at, true) >>> 4) & mask
  // Both sizes have `width` bits and follow four other bits, lowest bits first.
  const stored = (view.getUint32(at + 1, true) >>> (width - 4)) & mask
  return { type, size, stored, streams: format === 0 ? 1 : 4 }
}

interface Span {
  readonly start: number
  readonly end: number
}

interface LiteralsOutput {
  readonly bytes: Uint8Array
  readonly at: number
  readonly size: number
}

/** Reads four streams, the first three with equal output size; a jump table of three 16-bit sizes precedes them. */
function readStreams(input: BlockInput, { start, end }: Span, table: HuffmanTable, output: LiteralsOutput): void {
  const quarter = (output.size + 3) >> 2
  if (output.size < 6 || start + 6 > end) throw damaged('four streams for too few literals')
  let from = start + 6
  for (let i = 0; i < 4; i++) {
    const to = i < 3 ? from + input.view.getUint16(start + 2 * i, true) : end
    if (to > end) throw damaged('literals without an end')
    const size = i < 3 ? quarter : output.size - 3 * quarter
    readStream(input, { start: from, end: to }, table, { bytes: output.bytes, at: output.at + i * quarter, size })
    from = to
  }
}

/**
 * Reads one stream backwards. PERF: one 32-bit word holds two codes of at most 11 bits.
 *
 * Near its beginning, the reader also loads bits in front of the stream. They never change the result: a code that used
 * them took more bits than were left, so the stream does not end where it must, and is refused.
 */
function readStream(
  { bytes, view }: BlockInput,
  { start, end }: Span,
  { entries, bits }: HuffmanTable,
  output: LiteralsOutput,
): void {
  const mask = (1 << bits) - 1
  const first = start * 8
  const to = output.bytes
  const last = output.at + output.size
  let position = lastBit(bytes, start, end)
  let at = output.at
  for (; at + 1 < last; at += 2) {
    const low = position - 22
    if (low < first) break
    const word = view.getUint32(low >> 3, true) >>> (low & 7)
    const one = entries[(word >>> (22 - bits)) & mask]!
    const used = one >> 8
    const two = entries[(word >>> (22 - bits - used)) & mask]!
    to[at] = one & 255
    to[at + 1] = two & 255
    position -= used + (two >> 8)
  }
  for (; at < last && position > first; at++) {
    const low = position - bits
    const entry = entries[(view.getUint32(low >> 3, true) >>> (low & 7)) & mask]!
    to[at] = entry & 255
    position -= entry >> 8
  }
  if (at !== last || position !== first) throw damaged('literals that do not fill their stream')
}
