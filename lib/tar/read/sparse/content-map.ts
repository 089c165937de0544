import { LimitError } from '../../../errors/index.ts'
import { decimal } from '../decimal.ts'
import { BLOCK, invalid } from '../header-block.ts'
import { MAX_REGIONS } from './sparse-regions.ts'

/** Maximum number of digits of a number. */
const MAX_DIGITS = 16

/**
 * Reads the map before the content of a sparse file of version 1.0: the number of regions, then offset and length of
 * each. Each number is decimal and ends with a newline; the map is padded to whole blocks.
 */
export class ContentMap {
  /** Number of blocks read. */
  blocks = 0
  readonly #numbers: number[] = []
  #wanted = 1
  #digits = ''

  /** Reads a block; returns alternating offsets and lengths once the map is complete. */
  take(block: Buffer, base: number, at: number): readonly number[] | undefined {
    this.blocks++
    for (let i = base; i < base + BLOCK; i++) {
      const byte = block[i]!
      if (byte !== 0x0a) {
        this.#digits = (this.#digits === '0' ? '' : this.#digits) + String.fromCharCode(byte)
        // SAFETY: a number without an end would keep the reader collecting digits forever; the number of digits is
        // limited.
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
