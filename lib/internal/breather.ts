import { setImmediate } from 'node:timers/promises'

/** How long synchronous work may keep everything else waiting. */
const SLICE_MS = 8

/** Tells when much small synchronous work has to let others have a turn. */
export class Breather {
  #since = performance.now()

  /** Whether it is time to let others work. */
  isDue(): boolean {
    return performance.now() - this.#since >= SLICE_MS
  }

  /** Lets others work. */
  async breathe(): Promise<void> {
    await setImmediate()
    this.#since = performance.now()
  }

  /** Lets others work if it is time to. */
  async turn(): Promise<void> {
    if (this.isDue()) await this.breathe()
  }
}
