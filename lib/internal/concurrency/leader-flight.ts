import { abortable } from '../abort.ts'

/**
 * Lets one caller at a time, the leader, do the work of a key, while the other callers wait. It differs from
 * `SingleFlight` in what a failure means: each caller brings its own source and its own signal, so the next waiter
 * becomes the leader and no caller fails for the reason of another.
 */
export class LeaderFlight<K, V> {
  readonly #running = new Map<K, Promise<V>>()

  /** Whether a leader works on the key now. */
  has(key: K): boolean {
    return this.#running.has(key)
  }

  /** Resolves to `true` if this call did the work, to `false` if another call did. */
  async run(key: K, work: () => Promise<V>, signal?: AbortSignal): Promise<boolean> {
    for (let leader = this.#running.get(key); leader; leader = this.#running.get(key)) {
      const succeeded = await abortable(
        leader.then(
          () => true,
          () => false,
        ),
        signal,
      )
      if (succeeded) return false
    }
    signal?.throwIfAborted()
    const mine = work()
    this.#running.set(key, mine)
    try {
      await mine
      return true
    } finally {
      this.#running.delete(key)
    }
  }
}
