import { LimitError } from '../../errors/index.ts'
import type { Descriptor } from '../../spec/index.ts'

/** For the last chunk of each try, and for blobs of a few bytes. */
const MOST_MORE = 1024 * 1024

/**
 * Counts what is sent of one blob, in all its uploads together: once more than the retry budget has tries.
 *
 * SAFETY: a registry can take pieces and put the upload back, or lose it, again and again. Each request succeeds or counts
 * as progress, so the retry budget alone does not end that.
 */
export class SentBytes {
  readonly #what: string
  readonly #limit: number
  #sent = 0

  constructor({ digest, size }: Pick<Descriptor, 'digest' | 'size'>, tries: number) {
    this.#what = `bytes sent of blob ${digest}, which the registry takes and loses again,`
    this.#limit = (tries + 1) * size + MOST_MORE
  }

  /** Passes bytes on. Throws `LimitError` when so many times the blob, and 1 MiB more, have been sent. */
  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.#sent += chunk.byteLength
      if (this.#sent > this.#limit) throw new LimitError(this.#what, { limit: this.#limit, actual: this.#sent })
      yield chunk
    }
  }
}
