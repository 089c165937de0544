import type { Lease, Store } from '../../store/index.ts'

/** A lease that has lasted so long is followed by another: else a server that is never idle would stop collections. */
const LONGEST_MS = 24 * 3_600_000

interface Held {
  readonly lease: Promise<Lease>
  readonly since: number
}

/**
 * Keeps collections away from what clients are pushing. A push is many requests, and nothing says which one is its last:
 * so the lease begins with the first request that writes, and ends when there has been none for a while.
 */
export class PushLease {
  readonly #store: Store
  readonly #idleMs: number
  #held: Held[] = []
  #running = 0
  #idle: NodeJS.Timeout | undefined

  constructor(store: Store, idleMs: number) {
    this.#store = store
    this.#idleMs = idleMs
  }

  /**
   * Does something that a push needs later, under the lease. Unless that `isRequired`, it is done without the lease where none
   * can be had: a client that only looks is answered on a full disk, too.
   */
  async during<T>(work: () => Promise<T> | T, { isRequired }: { readonly isRequired: boolean }): Promise<T> {
    this.#running++
    clearTimeout(this.#idle)
    try {
      await this.#take().catch(error => {
        if (isRequired) throw error
      })
      return await work()
    } finally {
      this.#running--
      this.#waitForMore()
    }
  }

  async #take(): Promise<void> {
    const newest = this.#held.at(-1)
    if (newest && Date.now() - newest.since < LONGEST_MS) {
      await newest.lease
      return
    }
    const held = { lease: this.#store.leases.hold({ label: 'pushes to the registry server' }), since: Date.now() }
    this.#held.push(held)
    try {
      await held.lease
    } catch (error) {
      this.#held = this.#held.filter(other => other !== held)
      throw error
    }
    // What began under the one before the last is more than a day old now.
    await release(this.#held.splice(0, this.#held.length - 2))
  }

  #waitForMore(): void {
    if (this.#running > 0 || this.#held.length === 0) return
    this.#idle = setTimeout(() => void release(this.#held.splice(0)), this.#idleMs)
    this.#idle.unref()
  }

  /** Ends the protection; what it protected keeps the grace period of a collection. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await release(this.#held.splice(0))
  }
}

/** A lease that cannot be released ends by itself. */
async function release(held: readonly Held[]): Promise<void> {
  await Promise.allSettled(held.map(async ({ lease }) => (await lease).release()))
}
