/** The ways to open a blob's bytes. */
export interface UploadContent {
  open(): AsyncIterable<Uint8Array>
  readonly openAt: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
  /** Opens the bytes for a thread: chunks may be `LentBytes`. */
  readonly openLent?: ((offset: number) => AsyncIterable<Uint8Array>) | undefined
}

/**
 * Reads a blob piece by piece. Consecutive pieces come from one reading of the source, so that a source that verifies
 * its bytes can do so. Only a step back opens the source anew.
 */
export class PieceSource {
  readonly #source: UploadContent
  #chunks: AsyncIterator<Uint8Array> | undefined
  /** Offset of the first byte of `#rest`, or else of the next chunk. */
  #position = 0
  #rest: Uint8Array = new Uint8Array(0)
  /** Whether the chunks may be `LentBytes`. */
  #isLent = false

  constructor(source: UploadContent) {
    this.#source = source
  }

  /** Whether the source can be opened for a thread. */
  get canLend(): boolean {
    return this.#source.openLent !== undefined
  }

  /**
   * Streams the bytes from `offset` to `end`; without `end`, to the end of the source. With `lent`, chunks may be
   * `LentBytes`. Only one reading at a time.
   */
  async *read(
    offset: number,
    end = Number.POSITIVE_INFINITY,
    lent = false,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (!this.#chunks || this.#position !== offset || this.#isLent !== lent) await this.#open(offset, lent)
    const chunks = this.#chunks!
    // A reading that ends in the middle cannot be continued, so the next one opens the source anew.
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
      if (this.#chunks !== chunks) closeInBackground(chunks)
    }
  }

  /** Closes the source if it is open. */
  close(): void {
    if (this.#chunks) closeInBackground(this.#chunks)
    this.#chunks = undefined
  }

  async #open(offset: number, lent: boolean): Promise<void> {
    this.close()
    this.#rest = new Uint8Array(0)
    this.#isLent = lent
    const openAt = lent ? this.#source.openLent : this.#source.openAt
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

/** Ends a reading without waiting: a source that hangs must not delay the caller. */
function closeInBackground(chunks: AsyncIterator<Uint8Array>): void {
  void chunks.return?.().catch(() => {})
}
