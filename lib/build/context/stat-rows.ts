import type { Stats } from 'node:fs'

/** Members of `Stats` that a row has. */
export type RowStats = Pick<Stats, 'mode' | 'nlink' | 'rdev' | 'size' | 'dev' | 'ino' | 'mtimeMs' | 'ctimeMs'>

/** Memory of {@link StatRows}. */
export interface StatMemory {
  readonly numbers: SharedArrayBuffer
  readonly places: SharedArrayBuffer
}

const COLUMNS = 7
/** Positions in the places: the first row that is not looked at yet, and the first one that the walk still needs. */
const [DONE, NEEDED] = [0, 1]

/**
 * Results of `lstat`, in memory that two threads share: a thread writes rows in ascending order, and the walk in the
 * calling thread reads them.
 *
 * SAFETY: a row is complete before `done` is stored, and is read after `done` was loaded; both are atomic.
 */
export class StatRows {
  readonly memory: StatMemory
  readonly length: number
  readonly #numbers: Float64Array
  readonly #places: Int32Array
  #known = 0
  /** PERF: one object for all rows; an object for each is garbage at once. */
  readonly #read = { mode: 0, nlink: 0, rdev: 0, size: 0, dev: 0, ino: 0, mtimeMs: 0.5, ctimeMs: 0.5 }

  constructor(memory: StatMemory) {
    this.memory = memory
    this.#numbers = new Float64Array(memory.numbers)
    this.#places = new Int32Array(memory.places)
    this.length = this.#numbers.length / COLUMNS
  }

  /** Makes memory for a number of rows. Pages without a written row cost nothing. */
  static create(rows: number): StatRows {
    const numbers = new SharedArrayBuffer(rows * COLUMNS * Float64Array.BYTES_PER_ELEMENT)
    return new StatRows({ numbers, places: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT) })
  }

  /** The first row that the reader still needs. */
  get needed(): number {
    return Atomics.load(this.#places, NEEDED)
  }

  set needed(row: number) {
    Atomics.store(this.#places, NEEDED, row)
  }

  write(row: number, { mode, nlink, size, dev, ino, mtimeMs, ctimeMs }: RowStats): void {
    this.#numbers.set([mode, nlink, size, dev, ino, mtimeMs, ctimeMs], row * COLUMNS)
  }

  /** Lets the reader have all rows before this one. */
  publish(row: number): void {
    Atomics.store(this.#places, DONE, row)
  }

  /** Returns a row; `undefined` if it is not written yet, or left out. The object is valid until the next call. */
  read(row: number): RowStats | undefined {
    if (row >= this.#known) {
      this.#known = Atomics.load(this.#places, DONE)
      if (row >= this.#known) return undefined
    }
    const numbers = this.#numbers
    const at = row * COLUMNS
    const mode = numbers[at]!
    // The mode of a file has the bits of its type.
    if (mode === 0) return undefined
    const read = this.#read
    read.mode = mode
    read.nlink = numbers[at + 1]!
    read.size = numbers[at + 2]!
    read.dev = numbers[at + 3]!
    read.ino = numbers[at + 4]!
    read.mtimeMs = numbers[at + 5]!
    read.ctimeMs = numbers[at + 6]!
    return read
  }
}
