import { type Digest, parseDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { createOwner } from '../../internal/locks/owner.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { HoldOptions, Lease, LeaseInfo, LeaseStore } from '../../store/index.ts'
import { checkHold, readOnlyLease } from '../../store/index.ts'
import { acknowledgeObject } from '../blobs/publish-blob.ts'
import type { ObjectContext } from '../object-context.ts'
import { jsonBytes } from '../objects/read-object.ts'
import { type LeaseRecord, leaseKey, readLeaseObjects } from './lease-record.ts'

const HEARTBEAT_MS = 10 * 60_000
/**
 * A lease starts this much earlier by the clock of the service: its dates have whole seconds, and its machines may
 * differ a little.
 */
const MARGIN_MS = 3000
const AT_ONCE = 32

/** Leases as objects below `leases/`, one each. */
export class ObjectLeases implements LeaseStore {
  readonly #context: ObjectContext
  readonly #held = new Set<Lease>()

  constructor(context: ObjectContext) {
    this.#context = context
  }

  async hold(options: HoldOptions = {}): Promise<Lease> {
    const { label, expiresInMs, digests } = checkHold(options)
    options.signal?.throwIfAborted()
    this.#context.assertOpen()
    if (this.#context.settings.readOnly) return readOnlyLease(digest => this.touch(digest))
    const owner = await createOwner()
    const sinceMs = this.#context.clock.now() - MARGIN_MS
    const record: LeaseRecord = { version: 1, owner, label, sinceMs, expiresInMs, digests }
    const lease: ObjectLease = new ObjectLease(this.#context, record, () => this.#held.delete(lease))
    this.#held.add(lease)
    try {
      await lease.renew()
      for (let i = 0; i < digests.length; i += AT_ONCE) {
        options.signal?.throwIfAborted()
        // SAFETY: acknowledged after the lease is visible: a collection that did not see the lease is waited for.
        await settleAll(digests.slice(i, i + AT_ONCE).map(digest => lease.add(digest)))
      }
    } catch (error) {
      await lease.release().catch(() => undefined)
      throw error
    }
    return lease
  }

  async touch(digest: Digest, options: AbortOptions = {}): Promise<boolean> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return acknowledgeObject(this.#context, parseDigest(digest), options)
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<LeaseInfo, void, undefined> {
    this.#context.assertOpen()
    for (const { holderLives: _, ...lease } of await readLeaseObjects(this.#context, options)) {
      options.signal?.throwIfAborted()
      yield lease
    }
  }

  /** Releases all leases that are still held. */
  async close(): Promise<void> {
    await settleAll([...this.#held].map(lease => lease.release().catch(() => undefined)))
  }
}

class ObjectLease implements Lease {
  readonly id: string
  readonly #context: ObjectContext
  readonly #record: LeaseRecord
  readonly #onReleased: () => void
  readonly #timer: NodeJS.Timeout
  #writing: Promise<unknown> = Promise.resolve()
  #released: Promise<void> | undefined

  constructor(context: ObjectContext, record: LeaseRecord, onReleased: () => void) {
    this.id = `${record.owner.pid}-${record.owner.nonce}`
    this.#context = context
    this.#record = record
    this.#onReleased = onReleased
    // A renewal that fails is retried at the next interval; there are many before the lease expires.
    this.#timer = setInterval(() => void this.renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  add(digest: Digest): Promise<boolean> {
    return acknowledgeObject(this.#context, parseDigest(digest))
  }

  /** Writes the object anew, so that its date is now. */
  async renew(): Promise<void> {
    if (this.#released) return
    const writing = this.#context.bucket.put(leaseKey(this.id), jsonBytes(this.#record))
    this.#writing = writing.catch(() => undefined)
    await writing
  }

  release(): Promise<void> {
    clearInterval(this.#timer)
    this.#released ??= this.#writing
      .then(() => this.#context.bucket.delete(leaseKey(this.id)))
      .finally(this.#onReleased)
    return this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
