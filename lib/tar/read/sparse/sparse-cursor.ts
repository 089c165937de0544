import type { SparseRegion } from '../../tar-entry.ts'

/** Walks a sparse file from its start, through holes and data. */
export class SparseCursor {
  readonly #regions: readonly SparseRegion[]
  readonly #size: number
  #region = 0
  #position = 0

  constructor(regions: readonly SparseRegion[], size: number) {
    this.#regions = regions
    this.#size = size
  }

  /** True at the end of the file. */
  get done(): boolean {
    return this.#position === this.#size
  }

  /** Number of bytes to the end of the hole at this position; 0 in data. */
  get hole(): number {
    const next = this.#regions[this.#region]
    return Math.max(0, (next?.offset ?? this.#size) - this.#position)
  }

  /** Number of stored bytes from this position to the end of the data; 0 in a hole. */
  get data(): number {
    const region = this.#regions[this.#region]
    return region && this.#position >= region.offset ? region.offset + region.length - this.#position : 0
  }

  /** Advances by at most the length of the current hole or data. */
  advance(bytes: number): void {
    this.#position += bytes
    const region = this.#regions[this.#region]
    if (region && this.#position === region.offset + region.length) this.#region++
  }
}
