import type { Position } from './document.ts'

/** Where the text from an offset on comes from. */
interface Place {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Lines joined into one, which knows where each character comes from. */
export class LogicalLine {
  readonly #parts: string[]
  readonly #places: Place[]
  #length: number
  #text: string | undefined

  /** Begins with the text of a physical line that starts at a column. */
  constructor(text: string, line: number, column: number) {
    this.#parts = [text]
    this.#places = [{ offset: 0, line, column }]
    this.#length = text.length
    this.#text = text
  }

  get text(): string {
    this.#text ??= this.#parts.join('')
    return this.#text
  }

  /** Appends the text of a physical line. */
  append(text: string, line: number): void {
    this.#places.push({ offset: this.#length, line, column: 1 })
    this.#parts.push(text)
    this.#length += text.length
    this.#text = undefined
  }

  /** Place of the characters from `start` to `end`. */
  position(start: number, end: number): Position {
    const { offset, line, column } = this.#placeAt(start)
    const endLine = this.#places.length === 1 ? line : this.#placeAt(Math.max(start, end - 1)).line
    return { line, column: column + start - offset, endLine }
  }

  #placeAt(offset: number): Place {
    let low = 0
    let high = this.#places.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#places[middle]!.offset <= offset) low = middle
      else high = middle - 1
    }
    return this.#places[low]!
  }
}
