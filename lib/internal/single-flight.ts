import { abortable } from './abort.ts'

/**
 * Lets one call at a time do the work for a key; the others wait for it. If the one that works fails or is aborted, the
 * next of the waiting takes over, so that nobody fails for another's reason.
 */
export class SingleFlight<K, V> {
  readonly #running = new Map<K, Promise<V>>()

  /** Whether somebody does the work for a key now. */
  has(key: K): boolean {
    return this.#running.has(key)
  }

  /** Resolves to `true` if this call did the work, to `false` if another did. */
  async run(key: K, work: () => Promise<V>, signal?: AbortSignal): Promise<boolean> {
    for (let other = this.#running.get(key); other; other = this.#running.get(key)) {
      const succeeded = await abortable(
        other.then(
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
