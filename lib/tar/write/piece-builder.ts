import type { Borrowed } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'

/** Gathers bytes into pieces of one size and lends each piece when it is full. */
export class PieceBuilder {
  readonly #size: number
  readonly #onPiece: (piece: Borrowed<Uint8Array>) => void
  readonly #pool: Pool<Buffer>
  #piece: Borrowed<Buffer>
  #filled = 0

  constructor(size: number, onPiece: (piece: Borrowed<Uint8Array>) => void) {
    this.#size = size
    this.#onPiece = onPiece
    this.#pool = new Pool(() => Buffer.allocUnsafeSlow(size))
    this.#piece = this.#pool.borrow()
  }

  /** Appends a copy of bytes, and zeros up to a multiple of `block` bytes. */
  add(bytes: Uint8Array, block: number): void {
    this.#copy(bytes)
    this.#zeros(-bytes.byteLength & (block - 1))
  }

  /** Appends a block that `write` fills in place. */
  addBlock(length: number, write: (piece: Buffer, at: number) => void): void {
    if (this.#filled + length > this.#size) this.flush()
    write(this.#piece.value, this.#filled)
    this.#filled += length
  }

  /** Lends the incomplete piece. */
  flush(): void {
    if (this.#filled === 0) return
    const { value, release } = this.#piece
    this.#onPiece({ value: value.subarray(0, this.#filled), release })
    this.#piece = this.#pool.borrow()
    this.#filled = 0
  }

  #copy(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const length = Math.min(bytes.byteLength - at, this.#room())
      this.#piece.value.set(length === bytes.byteLength ? bytes : bytes.subarray(at, at + length), this.#filled)
      this.#filled += length
      at += length
    }
  }

  #zeros(count: number): void {
    for (let left = count; left > 0; ) {
      const length = Math.min(left, this.#room())
      this.#piece.value.fill(0, this.#filled, this.#filled + length)
      this.#filled += length
      left -= length
    }
  }

  #room(): number {
    if (this.#filled === this.#size) this.flush()
    return this.#size - this.#filled
  }
}
