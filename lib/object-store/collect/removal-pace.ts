/** A request deletes at most as many objects. */
const MOST = 1000
const LEAST = 32
const FIRST = 100
/** Time that the removals of one announcement should take. */
const WANTED_MS = 2000
/** A fast removal of few blobs says little about one of many. */
const MOST_GROWTH = 4

/**
 * The number of blobs that a collection announces and removes together: as many as the service removes in about two
 * seconds.
 *
 * PERF: with 1000, which services allow, few requests are needed. But an announcement stops the writers of its blobs,
 * and its removals must be sent within 20 s and answered within 40 s; a busy service took 16 s to delete 1000 objects.
 */
export class RemovalPace {
  #atOnce = FIRST

  get atOnce(): number {
    return this.#atOnce
  }

  /** Notes how long the removals of one announcement took. */
  note(count: number, milliseconds: number): void {
    const fits = Math.floor((count * WANTED_MS) / Math.max(1, milliseconds))
    this.#atOnce = Math.min(MOST, Math.max(LEAST, Math.min(fits, this.#atOnce * MOST_GROWTH)))
  }

  /** Halves the number after a removal that came too late; `false` if it is as small as it gets. */
  slowDown(): boolean {
    if (this.#atOnce === LEAST) return false
    this.#atOnce = Math.max(LEAST, Math.floor(this.#atOnce / 2))
    return true
  }
}
