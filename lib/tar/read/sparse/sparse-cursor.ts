import type { SparseRegion } from '../../tar-entry.ts'

/** Walks a sparse file from its beginning: hole or data, and how much of it. */
export class SparseCursor {
  readonly #regions: readonly SparseRegion[]
  readonly #size: number
  #region = 0
  #position = 0

  constructor(regions: readonly SparseRegion[], size: number) {
    this.#regions = regions
    this.#size = size
  }

  /** Whether the end of the file has been reached. */
  get done(): boolean {
    return this.#position === this.#size
  }

  /** Bytes of the hole at this place; 0 if there is none. */
  get hole(): number {
    const next = this.#regions[this.#region]
    return Math.max(0, (next?.offset ?? this.#size) - this.#position)
  }

  /** Bytes of stored data from this place on; 0 in a hole. */
  get data(): number {
    const region = this.#regions[this.#region]
    return region && this.#position >= region.offset ? region.offset + region.length - this.#position : 0
  }

  /** Goes on by no more than the hole or the data has. */
  advance(bytes: number): void {
    this.#position += bytes
    const region = this.#regions[this.#region]
    if (region && this.#position === region.offset + region.length) this.#region++
  }
}
