import { type Digest, parseDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { checkHold } from './check-hold.ts'
import type { HoldOptions, Lease, LeaseInfo, LeaseStore } from './lease-store.ts'

/** Leases of a memory store: they end with the process. */
export class MemoryLeases implements LeaseStore {
  readonly #held = new Map<string, LeaseInfo>()
  readonly #acknowledge: (digest: Digest) => boolean
  #count = 0

  /** @param acknowledge - Gives a blob the age of a new one, if it exists; throws if the store is closed. */
  constructor(acknowledge: (digest: Digest) => boolean) {
    this.#acknowledge = acknowledge
  }

  async hold(options: HoldOptions = {}): Promise<Lease> {
    const { label, expiresInMs, digests } = checkHold(options)
    options.signal?.throwIfAborted()
    for (const digest of digests) this.#acknowledge(digest)
    this.#count++
    const id = String(this.#count)
    const sinceMs = Date.now()
    this.#held.set(id, { id, label, holder: 'this process', sinceMs, renewedMs: sinceMs, expiresInMs, digests })
    const release = async () => void this.#held.delete(id)
    return {
      id,
      add: digest => this.touch(digest),
      renew: async () => {},
      release,
      [Symbol.asyncDispose]: release,
    }
  }

  async touch(digest: Digest, options: AbortOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted()
    return this.#acknowledge(parseDigest(digest))
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<LeaseInfo, void, undefined> {
    for (const lease of this.#held.values()) {
      options.signal?.throwIfAborted()
      yield { ...lease, renewedMs: Date.now() }
    }
  }
}
