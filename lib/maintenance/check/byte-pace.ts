import { setTimeout as delay } from 'node:timers/promises'

/** Rate limiter shared by concurrent readers: bounds the bytes that they read per second. */
export class BytePace {
  readonly #bytesPerMs: number
  #freeAt = 0

  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerMs = (bytesPerSecond ?? Number.POSITIVE_INFINITY) / 1000
  }

  /** Resolves when this many bytes may be read. */
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
