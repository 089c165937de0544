import { setImmediate } from 'node:timers/promises'

/** Milliseconds for which a synchronous loop may block the event loop. */
const SLICE_MS = 8

/** Lets a long synchronous loop yield to the event loop from time to time. */
export class EventLoopYielder {
  #since = performance.now()

  /** True when the loop has used its slice of 8 ms: the caller should await {@link yield}. */
  shouldYield(): boolean {
    return performance.now() - this.#since >= SLICE_MS
  }

  /** Resolves in a later turn of the event loop and starts a new slice. */
  async yield(): Promise<void> {
    await setImmediate()
    this.#since = performance.now()
  }

  /** Yields if the loop has used its slice. */
  async yieldIfDue(): Promise<void> {
    if (this.shouldYield()) await this.yield()
  }
}
