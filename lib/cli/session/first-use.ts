/** A resource that is opened with its first use, and only once. */
export class FirstUse<T extends AsyncDisposable> implements AsyncDisposable {
  readonly #open: () => Promise<T>
  #opening: Promise<T> | undefined
  #opened: T | undefined

  /** @param open - Opens the resource; called once. */
  constructor(open: () => Promise<T>) {
    this.#open = open
  }

  /** The resource; `undefined` as long as it is not open. */
  get opened(): T | undefined {
    return this.#opened
  }

  /** Opens the resource, unless that was done. */
  async open(): Promise<T> {
    this.#opening ??= this.#open()
    this.#opened = await this.#opening
    return this.#opened
  }

  /** Closes the resource, also one that is being opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined)
    await opened?.[Symbol.asyncDispose]()
  }
}
