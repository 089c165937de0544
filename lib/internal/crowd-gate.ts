/** With nobody coming out for so long, those inside may wait for those outside. */
const STUCK_MS = 1000

/**
 * Lets a number of callers in at a time; the others wait in the order in which they came. Callers who depend on one another
 * (a hundred streams that are read in turns) are no deadlock: when nobody has come out for a second, twice as many get in.
 */
export class CrowdGate {
  readonly #usual: number
  #limit: number
  #inside = 0
  readonly #waiting = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined

  constructor(limit: number) {
    this.#usual = limit
    this.#limit = limit
  }

  /** How many are inside. */
  get inside(): number {
    return this.#inside
  }

  /** Resolves when there is room, to what says that the caller has left: to be called once. */
  async enter(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.#inside < this.#limit) this.#inside++
    else await this.#wait(signal)
    return () => this.#leave()
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#waiting.delete(admit)
        this.#watch()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(admit)
      if (this.#timer === undefined) this.#watch()
    })
  }

  #leave(): void {
    this.#inside--
    if (this.#inside < this.#usual) this.#limit = this.#usual
    this.#admit()
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#inside >= this.#limit) break
      this.#waiting.delete(admit)
      this.#inside++
      admit()
    }
    this.#watch()
  }

  #watch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.size === 0) return
    this.#timer = setTimeout(() => {
      this.#limit *= 2
      this.#admit()
    }, STUCK_MS)
  }
}
