import { LimitError } from '../../../errors/index.ts'
import { decimal } from '../decimal.ts'
import { BLOCK, invalid } from '../header-block.ts'
import { MAX_REGIONS } from './sparse-regions.ts'

/** Digits of the largest number that there can be. */
const MAX_DIGITS = 16

/**
 * Reads the map that stands in front of the content of sparse files of version 1.0: the number of regions, then offset and
 * length of each, in decimal, each with a newline behind, filled up to whole blocks.
 */
export class ContentMap {
  /** Blocks taken so far. */
  blocks = 0
  readonly #numbers: number[] = []
  #wanted = 1
  #digits = ''

  /** Takes a block; gives offsets and lengths by turns as soon as all are there. */
  take(block: Buffer, base: number, at: number): readonly number[] | undefined {
    this.blocks++
    for (let i = base; i < base + BLOCK; i++) {
      const byte = block[i]!
      if (byte !== 0x0a) {
        this.#digits = (this.#digits === '0' ? '' : this.#digits) + String.fromCharCode(byte)
        // SAFETY: digits without an end have kept readers busy for ever.
        if (this.#digits.length > MAX_DIGITS) throw invalid('number in a sparse map is too long', at)
        continue
      }
      this.#add(decimal(this.#digits), at)
      this.#digits = ''
      if (this.#numbers.length === this.#wanted) return this.#numbers.slice(1)
    }
    return undefined
  }

  #add(value: number, at: number): void {
    if (Number.isNaN(value)) throw invalid('sparse map that is no list of numbers', at)
    if (this.#numbers.length === 0) {
      if (value > MAX_REGIONS) throw new LimitError('regions of a sparse file', { limit: MAX_REGIONS, actual: value })
      this.#wanted = 1 + 2 * value
    }
    this.#numbers.push(value)
  }
}
