/** How a blob's bytes are had. */
export interface UploadContent {
  open(): AsyncIterable<Uint8Array>
  readonly openAt: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
}

/**
 * Reads a blob piece by piece. As long as pieces follow one another the source is read in one go, so that one that
 * verifies what it gives can do so; only going back opens it anew.
 */
export class PieceSource {
  readonly #source: UploadContent
  #chunks: AsyncIterator<Uint8Array> | undefined
  /** First byte that `#rest` or the next chunk begins with. */
  #position = 0
  #rest: Uint8Array = new Uint8Array(0)

  constructor(source: UploadContent) {
    this.#source = source
  }

  /** The bytes from `offset` to `end`; without `end`, all that come. Only one reading at a time. */
  async *read(offset: number, end = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array, void, undefined> {
    if (!this.#chunks || this.#position !== offset) await this.#open(offset)
    const chunks = this.#chunks!
    // A reading that is left in the middle leaves nothing to go on with.
    this.#chunks = undefined
    try {
      for (let at = offset; at < end; ) {
        const chunk = this.#rest.byteLength > 0 ? { value: this.#rest, done: false } : await chunks.next()
        if (chunk.done) return
        const bytes = chunk.value.subarray(0, end - at)
        this.#rest = chunk.value.subarray(bytes.byteLength)
        at += bytes.byteLength
        this.#position = at
        yield bytes
      }
      this.#chunks = chunks
    } finally {
      if (this.#chunks !== chunks) letGo(chunks)
    }
  }

  /** Frees what is open. */
  close(): void {
    if (this.#chunks) letGo(this.#chunks)
    this.#chunks = undefined
  }

  async #open(offset: number): Promise<void> {
    this.close()
    this.#rest = new Uint8Array(0)
    const { openAt } = this.#source
    const bytes = openAt ? openAt(offset) : this.#source.open()
    this.#chunks = bytes[Symbol.asyncIterator]()
    this.#position = openAt ? offset : await this.#skip(offset)
  }

  async #skip(offset: number): Promise<number> {
    let at = 0
    while (at < offset) {
      const chunk = await this.#chunks!.next()
      if (chunk.done) return offset
      this.#rest = chunk.value.subarray(offset - at)
      at += chunk.value.byteLength
    }
    return offset
  }
}

/** A source that hangs must not hold up whoever leaves it, so its end is not awaited. */
function letGo(chunks: AsyncIterator<Uint8Array>): void {
  void chunks.return?.().catch(() => {})
}
