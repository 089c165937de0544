import type { Lease, Store } from '../../store/index.ts'

/** Age at which a lease is replaced: a server that is never idle must not block collections for ever. */
const LONGEST_MS = 24 * 3_600_000

interface Held {
  readonly lease: Promise<Lease>
  readonly since: number
}

/**
 * Protects the blobs of running pushes from collections. A push is many requests, and no request says that it is the
 * last: so the lease begins with the first request that writes, and ends after `idleMs` without one.
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
   * Runs a step of a push under the lease. Without `isRequired` it runs even if no lease can be written: a HEAD must
   * still be answered on a full disk.
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
      this.#startIdleTimer()
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
    // Requests that began under an older lease than these two are more than a day old.
    await release(this.#held.splice(0, this.#held.length - 2))
  }

  #startIdleTimer(): void {
    if (this.#running > 0 || this.#held.length === 0) return
    this.#idle = setTimeout(() => void release(this.#held.splice(0)), this.#idleMs)
    this.#idle.unref()
  }

  /** Releases the leases. The grace period of a collection still protects the recent blobs. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    await release(this.#held.splice(0))
  }
}

/** Releases leases; one that cannot be released expires. */
async function release(held: readonly Held[]): Promise<void> {
  await Promise.allSettled(held.map(async ({ lease }) => (await lease).release()))
}
