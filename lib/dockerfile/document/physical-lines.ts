/** A line of the file. */
export interface PhysicalLine {
  /** Text without the carriage returns and line feeds at its end. */
  readonly text: string
  /** Offset of the text in the file. */
  readonly start: number
  /** Offset behind the line feed. */
  readonly end: number
  /** Number of the line, from 1. */
  readonly number: number
  /** Columns that were cut off at the start: 1 for a byte order mark. */
  readonly cut: number
}

/** Longest line that the language allows, in bytes of UTF-8. */
export const LONGEST_LINE = 65_535

/** Reads the lines of a file one by one. Lines end at a line feed; a carriage return elsewhere is data. */
export class PhysicalLines {
  readonly #source: string
  #at = 0
  #number = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Number of the line that was read last. */
  get number(): number {
    return this.#number
  }

  /** Reads the next line; `undefined` at the end of the file. */
  next(): PhysicalLine | undefined {
    const source = this.#source
    if (this.#at >= source.length) return undefined
    const cut = this.#at === 0 && source.startsWith('\ufeff') ? 1 : 0
    const start = this.#at + cut
    const feed = source.indexOf('\n', start)
    let textEnd = feed < 0 ? source.length : feed
    while (textEnd > start && (source[textEnd - 1] === '\r' || source[textEnd - 1] === '\n')) textEnd--
    this.#at = feed < 0 ? source.length : feed + 1
    this.#number++
    return { text: source.slice(start, textEnd), start, end: this.#at, number: this.#number, cut }
  }
}

/** True if a line is longer than the language allows. */
export function isTooLong({ text }: PhysicalLine): boolean {
  // PERF: a character has at most three bytes for each UTF-16 unit.
  return text.length * 3 > LONGEST_LINE && Buffer.byteLength(text) > LONGEST_LINE
}
