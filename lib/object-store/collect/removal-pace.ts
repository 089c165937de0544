/** A request deletes at most as many objects. */
const MOST = 1000
const LEAST = 32
const FIRST = 100
/** Time that the removals of one announcement should take. */
const WANTED_MS = 2000
/** Time that the looks before the removals should take less than. */
const LONG_MS = 10_000
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

  /** Notes how long the removals of one announcement took, and how long everything since it was announced. */
  note(count: number, { removalMs, wholeMs }: { readonly removalMs: number; readonly wholeMs: number }): void {
    const removed = Math.floor((count * WANTED_MS) / Math.max(1, removalMs))
    // A service that is far away takes long for a look at few blobs, too.
    const fits = wholeMs > LONG_MS ? Math.min(removed, Math.floor(count / 2)) : removed
    this.#atOnce = Math.min(MOST, Math.max(LEAST, Math.min(fits, this.#atOnce * MOST_GROWTH)))
  }

  /** Halves the number after a removal that came too late; `false` if it is as small as it gets. */
  slowDown(): boolean {
    if (this.#atOnce === LEAST) return false
    this.#atOnce = Math.max(LEAST, Math.floor(this.#atOnce / 2))
    return true
  }
}
