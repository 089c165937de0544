import { FormatError } from '../../errors/index.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'

/** Reads exact numbers of bytes from a stream. */
export class ByteReader {
  readonly #iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>
  readonly #what: string
  #chunk: Uint8Array = new Uint8Array()
  #at = 0
  #done = false

  constructor(source: ByteSource, what: string) {
    const chunks = chunksOf(source)
    this.#iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
    this.#what = what
  }

  /** Resolves to true if no byte is left. */
  async atEnd(): Promise<boolean> {
    while (this.#at === this.#chunk.byteLength && !this.#done) await this.#advance()
    return this.#at === this.#chunk.byteLength
  }

  /**
   * Resolves to the next bytes, valid until the next call. Throws `ERR_INVALID_COMPRESSION` if the stream has fewer.
   */
  async take(size: number): Promise<Uint8Array> {
    if (this.#chunk.byteLength - this.#at >= size) return this.#cut(size)
    const bytes = new Uint8Array(size)
    for (let filled = 0; filled < size; ) {
      if (await this.atEnd()) throw new FormatError('ERR_INVALID_COMPRESSION', `${this.#what} is truncated`)
      const piece = this.#cut(Math.min(size - filled, this.#chunk.byteLength - this.#at))
      bytes.set(piece, filled)
      filled += piece.byteLength
    }
    return bytes
  }

  /** Skips bytes without keeping them. */
  async skip(size: number): Promise<void> {
    for (let left = size; left > 0; ) {
      if (await this.atEnd()) throw new FormatError('ERR_INVALID_COMPRESSION', `${this.#what} is truncated`)
      left -= this.#cut(Math.min(left, this.#chunk.byteLength - this.#at)).byteLength
    }
  }

  /** Stops the stream if it has not ended. */
  async close(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#iterator.return?.()
  }

  #cut(size: number): Uint8Array {
    this.#at += size
    return this.#chunk.subarray(this.#at - size, this.#at)
  }

  async #advance(): Promise<void> {
    this.#done = true
    const step = await this.#iterator.next()
    if (step.done) return
    this.#done = false
    this.#chunk = step.value
    this.#at = 0
  }
}
