import { type Borrowed, borrowed } from './borrowed.ts'

/** Lends values that are costly to create, such as large buffers, and keeps released values for the next borrower. */
export class Pool<T> {
  readonly #create: () => T
  readonly #most: number
  readonly #idle: T[] = []
  #borrowed = 0

  /** @param most - Number of idle values to keep; further ones are left to the garbage collector. */
  constructor(create: () => T, most = Number.POSITIVE_INFINITY) {
    this.#create = create
    this.#most = most
  }

  /** Number of values that are borrowed now. */
  get borrowed(): number {
    return this.#borrowed
  }

  /** Lends the value that was released last, or a new one. Its content is undefined. */
  borrow(): Borrowed<T> {
    const value = this.#idle.pop() ?? this.#create()
    this.#borrowed++
    return borrowed(value, () => {
      this.#borrowed--
      if (this.#idle.length < this.#most) this.#idle.push(value)
    })
  }
}
