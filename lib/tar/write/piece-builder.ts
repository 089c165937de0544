/** Gathers bytes into pieces of one size and emits each piece when it is full. */
export class PieceBuilder {
  readonly #size: number
  readonly #give: (piece: Buffer) => void
  /** Memory of emitted pieces; `#spare` is the memory that was returned. */
  readonly #lent = new Set<ArrayBufferLike>()
  readonly #spare: Buffer<ArrayBuffer>[] = []
  #piece: Buffer
  #filled = 0

  constructor(size: number, give: (piece: Buffer) => void) {
    this.#size = size
    this.#give = give
    this.#piece = this.#next()
  }

  /** Takes back the memory of a piece that its reader has released, for reuse. Memory from elsewhere is ignored. */
  takeBack({ buffer }: Uint8Array): void {
    if (this.#lent.delete(buffer)) this.#spare.push(Buffer.from(buffer as ArrayBuffer))
  }

  #next(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#size)
  }

  /** Appends a copy of bytes, and zeros up to a multiple of `block` bytes. */
  add(bytes: Uint8Array, block: number): void {
    this.#copy(bytes)
    this.#zeros(-bytes.byteLength & (block - 1))
  }

  /** Appends a block that `write` fills in place. */
  addBlock(length: number, write: (piece: Buffer, at: number) => void): void {
    if (this.#filled + length > this.#size) this.flush()
    write(this.#piece, this.#filled)
    this.#filled += length
  }

  /** Emits the incomplete piece. */
  flush(): void {
    if (this.#filled === 0) return
    this.#lent.add(this.#piece.buffer)
    this.#give(this.#piece.subarray(0, this.#filled))
    this.#piece = this.#next()
    this.#filled = 0
  }

  #copy(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const length = Math.min(bytes.byteLength - at, this.#room())
      this.#piece.set(length === bytes.byteLength ? bytes : bytes.subarray(at, at + length), this.#filled)
      this.#filled += length
      at += length
    }
  }

  #zeros(count: number): void {
    for (let left = count; left > 0; ) {
      const length = Math.min(left, this.#room())
      this.#piece.fill(0, this.#filled, this.#filled + length)
      this.#filled += length
      left -= length
    }
  }

  #room(): number {
    if (this.#filled === this.#size) this.flush()
    return this.#size - this.#filled
  }
}
