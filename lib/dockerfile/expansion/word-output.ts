import { isSpace } from './character-classes.ts'
import { ExpansionFault } from './expansion-fault.ts'

/** SAFETY: a variable that holds itself twice doubles with each line; 40 lines would fill the memory. */
export const LONGEST_TEXT = 256 * 1024

/** Collects a text, and the same text split into words at white space that is not quoted. */
export class WordOutput {
  readonly #split: boolean
  readonly #limit: number
  readonly #parts: string[] = []
  readonly #words: string[] = []
  #word: string[] = []
  #length = 0

  constructor({ split = false, limit = LONGEST_TEXT }: { readonly split?: boolean; readonly limit?: number }) {
    this.#split = split
    this.#limit = limit
  }

  /** Adds text whose white space ends words. */
  add(text: string): void {
    this.#keep(text)
    if (!this.#split) return
    for (const character of text) {
      if (isSpace(character)) this.#endWord()
      else this.#word.push(character)
    }
  }

  /** Adds text whose white space belongs to the word. */
  addQuoted(text: string): void {
    this.#keep(text)
    if (text !== '') this.#word.push(text)
  }

  finish(): { text: string; words: readonly string[] } {
    this.#endWord()
    return { text: this.#parts.join(''), words: this.#words }
  }

  #keep(text: string): void {
    this.#length += text.length
    if (this.#length > this.#limit) throw new ExpansionFault(`the result has more than ${this.#limit} characters`)
    this.#parts.push(text)
  }

  #endWord(): void {
    if (this.#word.length > 0) this.#words.push(this.#word.join(''))
    this.#word = []
  }
}
