import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { Lease } from '../leases/lease-store.ts'

/** PERF: an image of 20 blobs on a disk is acknowledged in 1 ms. */
const AT_ONCE = 32

/** A lease of a driver. */
export interface DriverLease extends Lease {
  /** Makes the lease visible to other processes. */
  write(): Promise<void>
}

/** Leases that an open store holds. */
export class HeldLeases {
  readonly #held = new Set<Lease>()

  /** Makes a lease visible, then acknowledges its blobs. */
  async hold(
    make: (onReleased: () => void) => DriverLease,
    { digests, signal }: AbortOptions & { readonly digests: readonly Digest[] },
  ): Promise<Lease> {
    const lease = make(() => this.#held.delete(lease))
    this.#held.add(lease)
    try {
      await lease.write()
      for (let i = 0; i < digests.length; i += AT_ONCE) {
        signal?.throwIfAborted()
        // SAFETY: a collection may run while the lease is taken. The blobs are acknowledged after the lease is visible:
        // a collection that did not see the lease finds the blob changed and keeps it, or is waited for.
        await settleAll(digests.slice(i, i + AT_ONCE).map(digest => lease.add(digest)))
      }
    } catch (error) {
      await lease.release().catch(() => undefined)
      throw error
    }
    return lease
  }

  /** Releases all leases that are still held. */
  async close(): Promise<void> {
    await settleAll([...this.#held].map(lease => lease.release().catch(() => undefined)))
  }
}
