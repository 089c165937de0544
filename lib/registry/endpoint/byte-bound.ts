import { LimitError } from '../../errors/index.ts'
import type { RetryBudget } from './retry-budget.ts'

/** Allowance for the last chunk of each try, and for blobs of a few bytes. */
const MOST_MORE = 1024 * 1024

/**
 * Bounds the bytes transferred for one blob in all tries together: (tries + 1) × size of the blob + 1 MiB.
 *
 * SAFETY: the retry budget starts anew after progress. A peer that loses all bytes again and again, each time a little
 * later, makes progress each time; the transferred bytes would grow with the square of the blob's size.
 */
export class ByteBound {
  readonly #what: string
  readonly #limit: number
  #bytes = 0

  constructor(what: string, size: number, { tries }: RetryBudget) {
    this.#what = what
    this.#limit = (tries + 1) * size + MOST_MORE
  }

  /** Counts bytes. Throws `LimitError` beyond the bound. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limit) throw new LimitError(this.#what, { limit: this.#limit, actual: this.#bytes })
  }

  /** Counts the bytes of a stream as they pass. */
  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.add(chunk.byteLength)
      yield chunk
    }
  }
}
