import { LimitError } from '../../errors/index.ts'
import type { RetryBudget } from './retry-budget.ts'

/** For the last chunk of each try, and for blobs of a few bytes. */
const MOST_MORE = 1024 * 1024

/**
 * Bounds the bytes that cross the line for one blob, in all its tries together: once more the blob than the retry budget
 * has tries, and 1 MiB.
 *
 * SAFETY: the retry budget forgets failures after progress. A peer that loses all bytes again and again, each time a little
 * later, makes progress each time, at a price that grows with the square of the blob.
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

  /** Counts bytes that pass. */
  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.add(chunk.byteLength)
      yield chunk
    }
  }
}
