/**
 * Shares reads among callers that each need a value read after their call. The answer to a running read may be older,
 * so callers join the next one.
 */
export class FreshRead<T> {
  readonly #read: () => Promise<T>
  #running: Promise<unknown> | undefined
  #next: Promise<T> | undefined

  constructor(read: () => Promise<T>) {
    this.#read = read
  }

  /** Resolves to a value whose read began after this call. */
  get(): Promise<T> {
    this.#next ??= this.#begin()
    return this.#next
  }

  async #begin(): Promise<T> {
    // Callers in one turn of the event loop share one read, also if no read is running.
    await this.#running
    await Promise.resolve()
    this.#next = undefined
    const reading = this.#read()
    this.#running = reading.catch(() => undefined)
    return reading
  }
}
