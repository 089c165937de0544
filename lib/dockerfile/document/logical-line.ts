import type { Position } from './document.ts'

/** Position that the text from an offset on comes from. */
interface Place {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Several lines joined into one, with the position of each character. */
export class LogicalLine {
  readonly #first: Place
  /** PERF: most instructions are one line. */
  #more: { readonly parts: string[]; readonly places: Place[]; length: number } | undefined
  #text: string | undefined

  /** Begins with the text of a physical line that starts at a column. */
  constructor(text: string, line: number, column: number) {
    this.#text = text
    this.#first = { offset: 0, line, column }
  }

  get text(): string {
    this.#text ??= this.#more!.parts.join('')
    return this.#text
  }

  /** Appends the text of a physical line. */
  append(text: string, line: number): void {
    this.#more ??= { parts: [this.text], places: [this.#first], length: this.text.length }
    this.#more.places.push({ offset: this.#more.length, line, column: 1 })
    this.#more.parts.push(text)
    this.#more.length += text.length
    this.#text = undefined
  }

  /** Place of the characters from `start` to `end`. */
  position(start: number, end: number): Position {
    const { offset, line, column } = this.#placeAt(start)
    const endLine = this.#more ? this.#placeAt(Math.max(start, end - 1)).line : line
    return { line, column: column + start - offset, endLine }
  }

  #placeAt(offset: number): Place {
    const places = this.#more?.places
    if (!places) return this.#first
    let low = 0
    let high = places.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (places[middle]!.offset <= offset) low = middle
      else high = middle - 1
    }
    return places[low]!
  }
}
