import { type Digest, parseDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DriverLease, HoldOptions, Lease, LeaseInfo, LeaseRecord, LeaseStore } from '../../store/index.ts'
import { checkHold, createLeaseRecord, HeldLeases, leaseIdOf, readOnlyLease } from '../../store/index.ts'
import { acknowledgeObject } from '../blobs/publish-blob.ts'
import type { ObjectContext } from '../object-context.ts'
import { jsonBytes } from '../objects/read-object.ts'
import { leaseKey, readLeaseObjects } from './lease-objects.ts'

const HEARTBEAT_MS = 10 * 60_000
/**
 * A lease starts this much earlier by the clock of the service: its dates have whole seconds, and its machines may
 * differ a little.
 */
const MARGIN_MS = 3000

/** Leases as objects below `leases/`, one each. */
export class ObjectLeases implements LeaseStore {
  readonly #context: ObjectContext
  readonly #held = new HeldLeases()

  constructor(context: ObjectContext) {
    this.#context = context
  }

  async hold(options: HoldOptions = {}): Promise<Lease> {
    const hold = checkHold(options)
    options.signal?.throwIfAborted()
    this.#context.assertOpen()
    if (this.#context.settings.readOnly) return readOnlyLease(digest => this.touch(digest))
    const record = await createLeaseRecord(hold, this.#context.clock.now() - MARGIN_MS)
    const make = (onReleased: () => void) => new ObjectLease(this.#context, record, onReleased)
    return this.#held.hold(make, { digests: hold.digests, signal: options.signal })
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
  close(): Promise<void> {
    return this.#held.close()
  }
}

class ObjectLease implements DriverLease {
  readonly id: string
  readonly #context: ObjectContext
  readonly #record: LeaseRecord
  readonly #onReleased: () => void
  readonly #timer: NodeJS.Timeout
  #writing: Promise<unknown> = Promise.resolve()
  #released: Promise<void> | undefined

  constructor(context: ObjectContext, record: LeaseRecord, onReleased: () => void) {
    this.id = leaseIdOf(record)
    this.#context = context
    this.#record = record
    this.#onReleased = onReleased
    // A renewal that fails is retried at the next interval; there are many before the lease expires.
    this.#timer = setInterval(() => void this.renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  add(digest: Digest): Promise<boolean> {
    return acknowledgeObject(this.#context, parseDigest(digest))
  }

  async renew(): Promise<void> {
    if (!this.#released) await this.write()
  }

  /** Writes the object anew, so that its date is now. */
  async write(): Promise<void> {
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
