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

/** Names, or blobs that refer to one another, that are announced together. */
const ANNOUNCED = 256

/** Collection driver of a store in a bucket. */
export class ObjectCollection implements CollectionDriver {
  readonly #context: ObjectContext
  readonly #references: ObjectReferences
  readonly #derived: ObjectDerived
  #running: RunningCollection | undefined
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
   * 3. Delete what is unchanged and not needed, in one request for each thousand.
   * 4. Withdraw the announcement.
   *
   * - A process that wrote before step 1 is seen in step 2.
   * - A process that wrote after step 1 finds its blob announced and waits for step 4; then it looks whether the blob
   *   still exists. What it could not see is decided.
   */
  async remove(
    blobs: readonly StoredBlob[],
    needed: AskNeeded,
    options: AbortOptions & { readonly independent?: boolean | undefined } = {},
  ): Promise<RemovalOutcome[]> {
    const outcomes: RemovalOutcome[] = []
    const atOnce = options.independent ? blobs.length : ANNOUNCED
    for (let i = 0; i < blobs.length; i += atOnce) {
      options.signal?.throwIfAborted()
      const some = blobs.slice(i, i + atOnce)
      const running = this.#now()
      await running.announce({ blobs: some.map(({ digest }) => digest), names: [] })
      const { going, beside } = await this.#choose(some, needed, outcomes)
      // Parents first: a killed collection leaves no document without its children.
      const turns = options.independent ? [going] : going.map(blob => [blob])
      const removed: Digest[] = []
      for (const turn of turns) removed.push(...(await this.#delete(turn, running, outcomes)))
      await this.#deleteBeside(removed, beside, running)
      await running.clear()
    }
    return outcomes
  }

  async #choose(
    blobs: readonly StoredBlob[],
    needed: AskNeeded,
    outcomes: RemovalOutcome[],
  ): Promise<{ going: readonly StoredBlob[]; beside: ReadonlySet<string> }> {
    const digests = blobs.map(({ digest }) => digest)
    const { blobs: now, beside } = await lookUpBlobs(this.#context, digests)
    const isTouched = ({ digest, modifiedMs }: StoredBlob) => now.get(digest)?.modifiedMs !== modifiedMs
    const touched = blobs.filter(blob => now.has(blob.digest) && isTouched(blob))
    const isNeeded = await needed(await this.#liveRoots(), touched)
    const going = blobs.filter(blob => {
      const { digest } = blob
      const outcome = !now.has(digest) ? 'gone' : isTouched(blob) ? 'changed' : isNeeded(blob) ? 'needed' : undefined
      if (outcome) outcomes.push({ digest, outcome })
      return outcome === undefined
    })
    return { going, beside }
  }

  /** Resolves to those that were removed. */
  async #delete(
    blobs: readonly StoredBlob[],
    running: RunningCollection,
    outcomes: RemovalOutcome[],
  ): Promise<Digest[]> {
    if (blobs.length === 0) return []
    const keys = blobs.map(({ digest }) => blobKey(digest))
    const { bucket } = this.#context
    const faults = await running
      .send(signal => bucket.deleteMany(keys, { signal }))
      .catch(error => asFaults(keys, error))
    const failed = new Map(faults.map(fault => [fault.key, fault]))
    const removed: Digest[] = []
    for (const { digest } of blobs) {
      const fault = failed.get(blobKey(digest))
      if (!fault) removed.push(digest)
      const message = fault && `cannot remove ${digest}: ${fault.code} ${fault.message}`
      outcomes.push(
        message === undefined
          ? { digest, outcome: 'removed' }
          : { digest, outcome: 'failed', error: new StoreError('ERR_STORE_IO', message) },
      )
    }
    return removed
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
    await running.send(signal => this.#context.bucket.deleteMany(keys, { signal })).catch(() => undefined)
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

function asFaults(keys: readonly string[], error: unknown): DeleteFault[] {
  const { code = 'failed', message } = error as { code?: string; message: string }
  return keys.map(key => ({ key, code: String(code), message }))
}
