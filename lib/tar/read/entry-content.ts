import { LimitError } from '../../errors/index.ts'
import type { SparseRegion } from '../tar-entry.ts'
import { RATIO_FREE_BYTES } from '../tar-limits.ts'
import type { ChunkCursor } from './chunk-cursor.ts'
import { padded } from './header-block.ts'
import { SparseCursor } from './sparse/sparse-cursor.ts'

/** Number of zero bytes returned at a time for a hole. */
const HOLE_PIECE = 64 * 1024

/** Content of the current entry, read from the chunks of the archive. Entries follow one another. */
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

  /** True while content, or the padding of its last block, remains. */
  get isOpen(): boolean {
    return this.#left > 0 || this.#padding > 0 || this.#sparse !== undefined
  }

  /** Starts the content of an entry with `stored` bytes. */
  open(stored: number): void {
    this.#left = stored
    this.#padding = padded(stored) - stored
  }

  /** Starts the content of a sparse file. */
  openSparse(stored: number, regions: readonly SparseRegion[], size: number): void {
    this.open(stored)
    this.#sparse = new SparseCursor(regions, size)
  }

  /** Passes over a hole, if one is next, and returns its length. */
  passHole(): number {
    const hole = this.#sparse?.hole ?? 0
    if (hole > 0) {
      this.#countHole(hole)
      this.#sparse?.advance(hole)
    }
    return hole
  }

  /** Returns the next piece; `undefined` if the chunk is used up or the content has ended. */
  next(): Uint8Array | undefined {
    if (this.#sparse?.done) this.#sparse = undefined
    const piece = this.#sparse ? this.#nextOf(this.#sparse) : this.#nextStored(this.#left)
    if (piece || this.#left > 0 || this.#sparse) return piece
    this.#padding -= this.#cursor.skip(this.#padding)
    return undefined
  }

  /** Skips the rest of the content. */
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
    if (hole > 0) this.#countHole(hole)
    const piece = hole > 0 ? new Uint8Array(hole) : this.#nextStored(sparse.data)
    if (piece) sparse.advance(piece.byteLength)
    return piece
  }

  /**
   * SAFETY: a header of a few bytes can declare a hole of any size. The ratio of hole bytes to archive bytes is
   * limited, like the ratio of a compression.
   */
  #countHole(bytes: number): void {
    this.#holeBytes += bytes
    const { offset } = this.#cursor
    if (this.#holeBytes > RATIO_FREE_BYTES && this.#holeBytes > offset * this.#maxRatio) {
      const actual = Math.ceil(this.#holeBytes / offset)
      throw new LimitError('bytes of holes for each byte of a tar', { limit: this.#maxRatio, actual })
    }
  }
}
