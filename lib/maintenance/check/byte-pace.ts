import { setTimeout as delay } from 'node:timers/promises'

/** Holds readers back so that together they take no more than so many bytes a second. */
export class BytePace {
  readonly #bytesPerMs: number
  #freeAt = 0

  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerMs = (bytesPerSecond ?? Number.POSITIVE_INFINITY) / 1000
  }

  /** Resolves when so many bytes may have been read. */
  async take(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now()
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMs
    const waitMs = this.#freeAt - now
    if (waitMs < 1) return
    try {
      await delay(waitMs, undefined, { signal })
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  }
}
