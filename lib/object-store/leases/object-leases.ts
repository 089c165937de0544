import { type Digest, parseDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DriverLease, HoldOptions, Lease, LeaseInfo, LeaseRecord, LeaseStore } from '../../store/index.ts'
import { checkHold, createLeaseRecord, HeldLeases, leaseIdOf, readOnlyLease } from '../../store/index.ts'
import { acknowledgeObject } from '../blobs/publish-blob.ts'
import type { ObjectContext } from '../object-context.ts'
import { jsonBytes } from '../objects/read-object.ts'
import { type KnownBlob, LeasedBlobs, timesNow } from './held-blobs.ts'
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
    // PERF: one look at the collections before those at the blobs saves a second look at each blob. A damaged record
    // is reported where a blob depends on it.
    if (hold.digests.length > 1) await this.#context.collections.look().catch(() => undefined)
    const record = await createLeaseRecord(hold, this.#context.clock.now() - MARGIN_MS)
    const make = (onReleased: () => void) => new ObjectLease(this.#context, record, onReleased)
    return this.#held.hold(make, { digests: hold.digests, signal: options.signal })
  }

  async touch(digest: Digest, options: AbortOptions = {}): Promise<boolean> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return (await acknowledgeObject(this.#context, parseDigest(digest), options)) !== undefined
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
  readonly #blobs: LeasedBlobs
  readonly #timer: NodeJS.Timeout
  #writing: Promise<unknown> = Promise.resolve()
  #released: Promise<void> | undefined

  constructor(context: ObjectContext, record: LeaseRecord, onReleased: () => void) {
    this.id = leaseIdOf(record)
    this.#context = context
    this.#record = record
    this.#onReleased = onReleased
    this.#blobs = new LeasedBlobs(record.expiresInMs)
    context.held.add(this.#blobs)
    // A renewal that fails is retried at the next interval; there are many before the lease expires.
    this.#timer = setInterval(() => void this.renew().catch(() => undefined), HEARTBEAT_MS).unref()
  }

  async add(digest: Digest): Promise<boolean> {
    const found = await acknowledgeObject(this.#context, parseDigest(digest))
    this.#blobs.note(digest, found)
    return found !== undefined
  }

  known(digest: Digest): KnownBlob {
    return this.#released ? undefined : this.#blobs.get(digest)
  }

  async renew(): Promise<void> {
    if (!this.#released) await this.write()
  }

  /** Writes the object anew, so that its date is now. */
  async write(): Promise<void> {
    const began = timesNow()
    const writing = this.#context.bucket.put(leaseKey(this.id), jsonBytes(this.#record))
    this.#writing = writing.catch(() => undefined)
    await writing
    this.#blobs.renewed(began)
  }

  release(): Promise<void> {
    clearInterval(this.#timer)
    this.#context.held.delete(this.#blobs)
    this.#released ??= this.#writing
      .then(() => this.#context.bucket.delete(leaseKey(this.id)))
      .finally(this.#onReleased)
    return this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
