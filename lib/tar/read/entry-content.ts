import { LimitError } from '../../errors/index.ts'
import type { SparseRegion } from '../tar-entry.ts'
import { RATIO_FREE_BYTES } from '../tar-limits.ts'
import type { ChunkCursor } from './chunk-cursor.ts'
import { padded } from './header-block.ts'
import { SparseCursor } from './sparse/sparse-cursor.ts'

/** Bytes of a hole that are given out at a time. */
const HOLE_PIECE = 64 * 1024

/** The content of one entry after the other, as it passes. */
export class EntryContent {
  readonly #cursor: ChunkCursor
  readonly #maxRatio: number
  #left = 0
  #padding = 0
  #sparse: SparseCursor | undefined
  #holeBytes = 0

  constructor(cursor: ChunkCursor, maxRatio: number) {
    this.#cursor = cursor
    this.#maxRatio = maxRatio
  }

  /** Whether there is more of it, or of the bytes that fill up its last block. */
  get isOpen(): boolean {
    return this.#left > 0 || this.#padding > 0 || this.#sparse !== undefined
  }

  /** Begins with what is stored of an entry. */
  open(stored: number): void {
    this.#left = stored
    this.#padding = padded(stored) - stored
  }

  /** Begins with a sparse file. */
  openSparse(stored: number, regions: readonly SparseRegion[], size: number): void {
    this.open(stored)
    this.#sparse = new SparseCursor(regions, size)
  }

  /** The next piece; `undefined` if the chunk is used up, or if this was all. */
  next(): Uint8Array | undefined {
    if (this.#sparse?.done) this.#sparse = undefined
    const piece = this.#sparse ? this.#nextOf(this.#sparse) : this.#nextStored(this.#left)
    if (piece || this.#left > 0 || this.#sparse) return piece
    this.#padding -= this.#cursor.skip(this.#padding)
    return undefined
  }

  /** Leaves out the rest. */
  skip(): void {
    this.#padding += this.#left
    this.#left = 0
    this.#sparse = undefined
  }

  #nextStored(most: number): Uint8Array | undefined {
    const piece = most > 0 ? this.#cursor.take(most) : undefined
    if (piece) this.#left -= piece.byteLength
    return piece
  }

  #nextOf(sparse: SparseCursor): Uint8Array | undefined {
    const hole = Math.min(sparse.hole, HOLE_PIECE)
    const piece = hole > 0 ? this.#nextHole(hole) : this.#nextStored(sparse.data)
    if (piece) sparse.advance(piece.byteLength)
    return piece
  }

  /** SAFETY: a header of a few bytes can announce any number of zeros; they are counted like those of a compression. */
  #nextHole(bytes: number): Uint8Array {
    this.#holeBytes += bytes
    const { offset } = this.#cursor
    if (this.#holeBytes > RATIO_FREE_BYTES && this.#holeBytes > offset * this.#maxRatio) {
      const actual = Math.ceil(this.#holeBytes / offset)
      throw new LimitError('bytes of holes for each byte of a tar', { limit: this.#maxRatio, actual })
    }
    return new Uint8Array(bytes)
  }
}
