import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import type {
  AskNeeded,
  CollectionDriver,
  CollectionRoots,
  LiveRoots,
  NamedDescriptor,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from '../../store/index.ts'
import type { RunningCollection } from '../announce/running-collection.ts'
import { lookUpBlobs } from '../blobs/look-up-blobs.ts'
import { scanBlobObjects } from '../blobs/scan-blob-objects.ts'
import { expectedUploads, unfinishedUploads } from '../ingest/list-ingests.ts'
import { sweepAbandoned } from '../ingest/sweep-abandoned.ts'
import { leaseKey, readLeaseObjects } from '../leases/lease-objects.ts'
import type { ObjectContext } from '../object-context.ts'
import type { ObjectDerived } from '../object-derived.ts'
import { blobKey, documentKey, touchedKey } from '../objects/keys.ts'
import { readObject } from '../objects/read-object.ts'
import type { ObjectReferences } from '../references/object-references.ts'
import type { DeleteFault } from '../s3/bucket.ts'
import { RemovalPace } from './removal-pace.ts'

/** Names, or blobs that refer to one another, that are announced together. */
const ANNOUNCED = 256

/** Collection driver of a store in a bucket. */
export class ObjectCollection implements CollectionDriver {
  readonly #context: ObjectContext
  readonly #references: ObjectReferences
  readonly #derived: ObjectDerived
  #running: RunningCollection | undefined
  readonly #pace = new RemovalPace()
  /** Error after which the running collection asks for no more removals. */
  #gaveUp: { readonly reason: unknown } | undefined
  #names: readonly NamedDescriptor[] = []

  constructor(context: ObjectContext, references: ObjectReferences, derived: ObjectDerived) {
    this.#context = context
    this.#references = references
    this.#derived = derived
  }

  get readOnly(): boolean {
    return this.#context.settings.readOnly
  }

  nowMs(): number {
    return this.#context.clock.now()
  }

  blobs(options: AbortOptions = {}): AsyncIterable<readonly StoredBlob[]> {
    this.#context.assertOpen()
    return scanBlobObjects(this.#context, options)
  }

  async roots(options: AbortOptions = {}): Promise<CollectionRoots> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const live = await this.#liveRoots()
    const ingests = await expectedUploads(this.#context, options)
    return { ...live, ingests, records: await this.#derived.records(options) }
  }

  async #liveRoots(): Promise<LiveRoots> {
    // Leases are read before names: an image that a lease keeps until it has its name is seen once.
    const leases = await readLeaseObjects(this.#context)
    const names: NamedDescriptor[] = []
    for await (const listed of this.#references.entries()) {
      if ('error' in listed) throw listed.error
      names.push(listed.named)
    }
    // The same array as long as nothing has changed: a caller walks only changed names.
    const isSame = names.length === this.#names.length && names.every((named, i) => named === this.#names[i])
    if (!isSame) this.#names = names
    return { names: this.#names, entries: [], leases }
  }

  async document(digest: Digest): Promise<Uint8Array | undefined> {
    const found = await readObject(this.#context.bucket, blobKey(digest), Limits.manifestBytes)
    if (!found) return undefined
    const { bytes } = found
    return bytes && /^\s*\{/.test(bytes.subarray(0, 64).toString('latin1')) ? bytes : new Uint8Array(0)
  }

  async alone<T>(act: () => Promise<T>, options: AbortOptions = {}): Promise<T> {
    this.#context.assertWritable()
    const running = await this.#context.collections.begin(options)
    this.#running = running
    this.#gaveUp = undefined
    try {
      await sweepAbandoned(this.#context, running, options)
      return await act()
    } finally {
      this.#running = undefined
      await running.end()
    }
  }

  async forgetNames(names: readonly { name: string; digest: Digest }[]): Promise<string[]> {
    const gone: string[] = []
    for (let i = 0; i < names.length; i += ANNOUNCED) {
      const some = names.slice(i, i + ANNOUNCED)
      const running = this.#now()
      await running.announce({ blobs: [], names: some.map(({ name }) => name) })
      gone.push(...(await this.#references.forget(some, running)))
      await running.clear()
    }
    return gone
  }

  async forgetRecords(records: readonly { record: string; modifiedMs: number }[]): Promise<string[]> {
    const gone: string[] = []
    for (const { record, modifiedMs } of records) if (await this.#derived.forget(record, modifiedMs)) gone.push(record)
    return gone
  }

  async forgetLeases(ids: readonly string[]): Promise<void> {
    // SAFETY: an id with a slash would lead to another object; such an id was not listed.
    await this.#context.bucket.deleteMany(ids.filter(id => !id.includes('/')).map(leaseKey))
  }

  /**
   * Removes blobs. A process that relies on a blob first writes its lease or a marker, then reads the record of
   * collections.
   *
   * SAFETY: S3 has no rename and no delete under a condition. So removals are announced:
   *
   * 1. Announce the blobs in the record of collections.
   * 2. Look up blobs and markers again, read leases and names again.
   * 3. Delete what is unchanged and not needed, in one request if no blob refers to another.
   * 4. Withdraw the announcement.
   *
   * - A process that wrote before step 1 is seen in step 2.
   * - A process that wrote after step 1 finds its blob announced and waits for step 4; then it looks whether the blob
   *   still exists. What it could not see is decided.
   *
   * After a removal of the fewest blobs that was not done in time the collection asks for no more, in later calls too:
   * each would hold its announcement, and so the writers of its blobs, until its time is over (O19).
   */
  async remove(
    blobs: readonly StoredBlob[],
    needed: AskNeeded,
    options: AbortOptions & { readonly independent?: boolean | undefined } = {},
  ): Promise<RemovalOutcome[]> {
    if (this.#gaveUp) return notTried(blobs, this.#gaveUp.reason)
    const outcomes: RemovalOutcome[] = []
    const most = options.independent ? Number.POSITIVE_INFINITY : ANNOUNCED
    const tried = new Set<Digest>()
    for (let i = 0; i < blobs.length; ) {
      options.signal?.throwIfAborted()
      const some = blobs.slice(i, i + Math.min(most, this.#pace.atOnce))
      const done = await this.#removeAnnounced(some, needed, { ...options, tried })
      if (done.late && this.#pace.slowDown()) continue
      outcomes.push(...done.outcomes)
      i += some.length
      if (!done.late) continue
      this.#gaveUp = { reason: done.late }
      const told = new Set(outcomes.map(({ digest }) => digest))
      outcomes.push(
        ...notTried(
          blobs.filter(({ digest }) => !told.has(digest)),
          done.late,
        ),
      )
      break
    }
    return outcomes
  }

  /** `late` is the error of a removal that may succeed with fewer blobs. */
  async #removeAnnounced(
    blobs: readonly StoredBlob[],
    needed: AskNeeded,
    { independent, tried }: { readonly independent?: boolean | undefined; readonly tried: Set<Digest> },
  ): Promise<{ outcomes: RemovalOutcome[]; late?: unknown }> {
    const running = this.#now()
    const began = performance.now()
    await running.announce({ blobs: blobs.map(({ digest }) => digest), names: [] })
    const { going, gone, beside, outcomes } = await this.#choose(blobs, needed, tried)
    const removed = [...gone]
    let late: unknown
    let removalMs = 0
    // Parents first: a killed collection leaves no document without its children.
    for (const turn of independent ? [going] : going.map(blob => [blob])) {
      for (const { digest } of turn) tried.add(digest)
      const sent = performance.now()
      const done = await this.#delete(turn, running)
      removalMs += performance.now() - sent
      removed.push(...done.removed)
      outcomes.push(...done.outcomes)
      late = done.late
      if (late) break
    }
    await this.#deleteBeside(removed, beside, running)
    await running.clear()
    if (!late) this.#pace.note(blobs.length, { removalMs, wholeMs: performance.now() - began })
    return { outcomes, late }
  }

  /** `gone` are absent blobs that this collection has tried to remove: the answer came too late, or not at all. */
  async #choose(
    blobs: readonly StoredBlob[],
    needed: AskNeeded,
    tried: ReadonlySet<Digest>,
  ): Promise<{
    going: readonly StoredBlob[]
    gone: readonly Digest[]
    beside: ReadonlySet<string>
    outcomes: RemovalOutcome[]
  }> {
    const digests = blobs.map(({ digest }) => digest)
    const { blobs: now, beside } = await lookUpBlobs(this.#context, digests)
    const isTouched = ({ digest, modifiedMs }: StoredBlob) => now.get(digest)?.modifiedMs !== modifiedMs
    const touched = blobs.filter(blob => now.has(blob.digest) && isTouched(blob))
    const isNeeded = await needed(await this.#liveRoots(), touched)
    const gone = digests.filter(digest => tried.has(digest) && !now.has(digest))
    const outcomes: RemovalOutcome[] = gone.map(digest => ({ digest, outcome: 'removed' }))
    const going = blobs.filter(blob => {
      const { digest } = blob
      if (!now.has(digest) && tried.has(digest)) return false
      const outcome = !now.has(digest) ? 'gone' : isTouched(blob) ? 'changed' : isNeeded(blob) ? 'needed' : undefined
      if (outcome) outcomes.push({ digest, outcome })
      return outcome === undefined
    })
    return { going, gone, beside, outcomes }
  }

  async #delete(
    blobs: readonly StoredBlob[],
    running: RunningCollection,
  ): Promise<{ removed: Digest[]; outcomes: RemovalOutcome[]; late?: unknown }> {
    if (blobs.length === 0) return { removed: [], outcomes: [] }
    const digests = blobs.map(({ digest }) => digest)
    const keys = digests.map(blobKey)
    const { bucket } = this.#context
    let late: unknown
    const isDone = async () => (await lookUpBlobs(this.#context, digests)).blobs.size === 0
    const faults = await running
      .send(sent => bucket.deleteMany(keys, sent), isDone)
      .catch(error => {
        if (isLate(error)) late = error
        return asFaults(keys, error)
      })
    const faultOf = new Map(faults.map(fault => [fault.key, fault]))
    const outcomes = digests.map((digest): RemovalOutcome => {
      const fault = faultOf.get(blobKey(digest))
      return fault ? failed(digest, fault) : { digest, outcome: 'removed' }
    })
    for (const digest of digests) this.#context.held.forget(digest)
    const removed = outcomes.flatMap(({ digest, outcome }) => (outcome === 'removed' ? [digest] : []))
    return { removed, outcomes, late }
  }

  /**
   * Removes markers and marks of removed blobs.
   *
   * SAFETY: a document whose removal failed keeps its mark. So marks are removed in a later request than the blobs.
   */
  async #deleteBeside(
    removed: readonly Digest[],
    beside: ReadonlySet<string>,
    running: RunningCollection,
  ): Promise<void> {
    const keys = removed.flatMap(digest => [touchedKey(digest), documentKey(digest)]).filter(key => beside.has(key))
    if (keys.length === 0) return
    // Keys that cannot be removed now belong to no blob; a later collection removes them as abandoned.
    await running.send(sent => this.#context.bucket.deleteMany(keys, sent)).catch(() => undefined)
  }

  #now(): RunningCollection {
    if (this.#running) return this.#running
    throw new StoreError('ERR_STORE_LOCKED', 'blobs and names are removed only inside `alone`')
  }

  unfinished(): Promise<UnfinishedUsage> {
    this.#context.assertOpen()
    return unfinishedUploads(this.#context)
  }
}

/** Whether fewer objects, or another try, may be in time. */
function isLate(error: unknown): boolean {
  const { code, name, retryable } = error as { code?: string; name?: string; retryable?: boolean }
  return retryable === true || name === 'TimeoutError' || code === 'ERR_STORE_LOCKED'
}

function failed(digest: Digest, reason: unknown): RemovalOutcome {
  const { code = 'failed', message } = reason as { code?: string | number; message: string }
  return {
    digest,
    outcome: 'failed',
    error: new StoreError('ERR_STORE_IO', `cannot remove ${digest}: ${code} ${message}`, { cause: reason }),
  }
}

function notTried(blobs: readonly StoredBlob[], reason: unknown): RemovalOutcome[] {
  const why = `because the service did not remove others in time: ${(reason as Error).message}`
  return blobs.map(({ digest }) => {
    const error = new StoreError('ERR_STORE_IO', `did not try to remove ${digest}, ${why}`, { cause: reason })
    return { digest, outcome: 'failed', error }
  })
}

function asFaults(keys: readonly string[], error: unknown): DeleteFault[] {
  const { code = 'failed', message } = error as { code?: string; message: string }
  return keys.map(key => ({ key, code: String(code), message }))
}
