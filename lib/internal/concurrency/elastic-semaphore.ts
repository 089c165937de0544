/** If no holder releases its permit for so long, holders may be waiting for waiters: a deadlock. */
const STUCK_MS = 1000

/**
 * A semaphore that cannot deadlock: if no permit is released for one second, the limit doubles until the usual number
 * suffices again. It differs from `Semaphore` because its holders may depend on its waiters, such as a hundred blob
 * streams that one caller reads in turns.
 */
export class ElasticSemaphore {
  readonly #usualLimit: number
  #limit: number
  #held = 0
  readonly #waiters = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined

  constructor(limit: number) {
    this.#usualLimit = limit
    this.#limit = limit
  }

  /** Number of permits that are held now. */
  get held(): number {
    return this.#held
  }

  /** Whether {@link acquire} would resolve without waiting. */
  get hasRoom(): boolean {
    return this.#held < this.#limit
  }

  /** Waits for a permit and resolves to the function that releases it, to be called once. */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.hasRoom) this.#held++
    else await this.#wait(signal)
    return () => this.#release()
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const grant = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#waiters.delete(grant)
        this.#watch()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(grant)
      if (this.#timer === undefined) this.#watch()
    })
  }

  #release(): void {
    this.#held--
    if (this.#held < this.#usualLimit) this.#limit = this.#usualLimit
    this.#grantNext()
  }

  #grantNext(): void {
    for (const grant of this.#waiters) {
      if (this.#held >= this.#limit) break
      this.#waiters.delete(grant)
      this.#held++
      grant()
    }
    this.#watch()
  }

  #watch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiters.size === 0) return
    this.#timer = setTimeout(() => {
      this.#limit *= 2
      this.#grantNext()
    }, STUCK_MS)
  }
}
