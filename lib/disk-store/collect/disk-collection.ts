import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { removeFile } from '../../internal/link-once.ts'
import { acquireLock, withLock } from '../../internal/locks/lock.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type {
  AskNeeded,
  CollectionDriver,
  CollectionRoots,
  LiveRoots,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from '../../store/index.ts'
import {
  createTrash,
  emptyTrash,
  type FileState,
  moveToTrash,
  restoreAll,
  restoreBlob,
  stateOf,
} from '../blobs/trash.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { readLeases } from '../leases/lease-file.ts'
import { blobName } from '../places/places.ts'
import type { DiskReferences } from '../references/disk-references.ts'
import { countRemoval, prepareRemovals } from '../references/removals.ts'
import { dropReserve, keepReserve } from '../reserve.ts'
import { readCacheRecords, removeCacheRecord } from './cache-records.ts'
import { readContainerRoots } from './container-roots.ts'
import { expectedDigests, unfinishedUsage } from './list-ingests.ts'
import { SmallReader } from './read-small.ts'
import { scanBlobs } from './scan-blobs.ts'
import { SlicePlaces } from './slice-places.ts'

/**
 * Independent blobs that are removed at the same time.
 *
 * PERF: Node's thread pool removes four at a time, which takes a third of the time on ext4 with `discard`. The rest
 * keeps its threads busy while this one looks at what they did.
 */
const AT_ONCE = 256

/** A blob on its way to the trash, with the state of its file before the check whether it is needed. */
interface Moved {
  readonly blob: StoredBlob
  readonly before: FileState
}

/** Collection driver of a store in a directory. */
export class DiskCollection implements CollectionDriver {
  readonly #context: DiskContext
  readonly #references: DiskReferences
  readonly #reader: SmallReader
  readonly #yielder = new EventLoopYielder()
  readonly #slice: SlicePlaces

  constructor(context: DiskContext, references: DiskReferences) {
    this.#context = context
    this.#references = references
    this.#reader = new SmallReader(context)
    this.#slice = new SlicePlaces(context.places)
  }

  get readOnly(): boolean {
    return this.#context.settings.readOnly
  }

  blobs(options: AbortOptions = {}): AsyncIterable<readonly StoredBlob[]> {
    this.#context.assertOpen()
    return scanBlobs(this.#context, options)
  }

  async roots(options: AbortOptions = {}): Promise<CollectionRoots> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const live = await this.#liveRoots()
    const ingests = await expectedDigests(this.#context)
    const records = await readCacheRecords(this.#context)
    return { ...live, ingests, records }
  }

  async #liveRoots(): Promise<LiveRoots> {
    // Leases are read before names and containers: a blob that one of them keeps before its lease ends is seen once.
    const leases = await readLeases(this.#context)
    const containers = await readContainerRoots(this.#context)
    const { names, entries } = await this.#references.entries()
    return { names, entries, leases, containers }
  }

  document(digest: Digest): Promise<Uint8Array | undefined> {
    return this.#reader.read(digest)
  }

  async alone<T>(act: () => Promise<T>, options: AbortOptions = {}): Promise<T> {
    await dropReserve(this.#context.places)
    await this.#context.prepareWrite()
    const what = { act: 'lock', path: '.layerstore/locks/collect', writes: true }
    const waiting = this.#context.waiting(what.path, options)
    const lock = await onDisk(what, () => acquireLock(() => this.#context.places.collectLock, waiting))
    try {
      await createTrash(this.#context)
      await prepareRemovals(this.#context)
      await onDisk({ act: 'restore', path: '.layerstore/trash', writes: true }, () => restoreAll(this.#context))
      return await act()
    } finally {
      await keepReserve(this.#context.places)
      await onDisk({ ...what, act: 'unlock' }, () => lock.release())
    }
  }

  forgetNames(names: readonly { name: string; digest: Digest }[], options: AbortOptions = {}): Promise<string[]> {
    return this.#references.forget(names, options)
  }

  async forgetRecords(records: readonly { record: string; modifiedMs: number }[]): Promise<string[]> {
    const gone: string[] = []
    for (const { record, modifiedMs } of records) {
      if (await removeCacheRecord(this.#context, record, modifiedMs)) gone.push(record)
    }
    return gone
  }

  async forgetLeases(ids: readonly string[]): Promise<void> {
    await onDisk({ act: 'remove', path: '.layerstore/leases', writes: true }, async () => {
      if (ids.length === 0) return
      const { places } = this.#context
      const names = new Set(await readdir(places.leases))
      // SAFETY: an id like `../x` would lead out of the directory; only names read from the directory are removed.
      for (const id of ids) if (names.has(`${id}.json`)) await removeFile(join(places.leases, `${id}.json`))
    })
  }

  /**
   * Removes blobs. A process that relies on a blob first takes a lease and then touches the blob.
   *
   * SAFETY: this order of steps needs no locks for processes that store and lease blobs:
   *
   * 1. Stat the blob.
   * 2. Read the leases and names.
   * 3. Move the blob to the trash.
   * 4. Read the leases again and stat the blob again.
   *
   * - A touch before step 1 follows its lease, which step 2 sees.
   * - A touch between steps 1 and 3 changes the time, which step 4 sees.
   * - A touch after step 3 fails; that process restores the blob or stores it again.
   * - A process that may not change the times names the blob in its lease and then looks it up; if it finds the blob
   *   before step 3, step 4 sees the lease.
   */
  async remove(
    blobs: readonly StoredBlob[],
    needed: AskNeeded,
    options: AbortOptions & { readonly independent?: boolean | undefined } = {},
  ): Promise<RemovalOutcome[]> {
    const outcomes: RemovalOutcome[] = []
    const { unchanged, touched } = await this.#look(blobs, outcomes)
    const ask: AskNeeded = (roots, more) => needed(roots, [...touched, ...more])
    const moved = await this.#moveAway(unchanged, ask, outcomes, options)
    const left = new Set(moved)
    try {
      await this.#removeMoved(left, needed, outcomes, options.independent ? AT_ONCE : 1)
    } finally {
      await settleAll([...left].map(({ blob }) => this.#restore(blob.digest)))
    }
    return outcomes
  }

  async #look(
    blobs: readonly StoredBlob[],
    outcomes: RemovalOutcome[],
  ): Promise<{ unchanged: Moved[]; touched: StoredBlob[] }> {
    const unchanged: Moved[] = []
    const touched: StoredBlob[] = []
    this.#slice.renew()
    for (const blob of blobs) {
      const { digest } = blob
      await this.#yieldIfDue()
      const before = await this.#onBlob(digest, async () => stateOf(this.#slice.blob(digest)))
      if (before?.mtimeMs === blob.modifiedMs) {
        unchanged.push({ blob, before })
        continue
      }
      outcomes.push({ digest, outcome: before ? 'changed' : 'gone' })
      if (before) touched.push(blob)
    }
    return { unchanged, touched }
  }

  async #moveAway(
    blobs: readonly Moved[],
    needed: AskNeeded,
    outcomes: RemovalOutcome[],
    options: AbortOptions,
  ): Promise<Moved[]> {
    if (blobs.length === 0) return []
    const what = { act: 'lock', path: 'index.json', writes: true }
    return onDisk(what, () =>
      withLock(
        () => this.#context.places.indexLock,
        async lock => {
          const isNeeded = await needed(await this.#liveRoots(), [])
          await lock.assertHeld()
          // SAFETY: `references.set` reads the removal counter, verifies the image, and under this lock verifies it
          // again if the counter changed. If a removal did not change the counter, a name could refer to a removed
          // blob. So the counter is incremented before the first removal (this process may be killed) and after the
          // last one.
          await countRemoval(this.#context)
          const away: Moved[] = []
          this.#slice.renew()
          for (const one of blobs) {
            await this.#yieldIfDue()
            if (await this.#moveOne(one, isNeeded(one.blob), outcomes)) away.push(one)
          }
          try {
            await countRemoval(this.#context)
          } catch (error) {
            await settleAll(away.map(({ blob }) => this.#restore(blob.digest)))
            throw error
          }
          return away
        },
        this.#context.waiting('.layerstore/locks/index', options),
      ),
    )
  }

  /** Resolves to whether the blob was moved to the trash. */
  async #moveOne({ blob: { digest } }: Moved, needed: boolean, outcomes: RemovalOutcome[]): Promise<boolean> {
    if (needed) {
      outcomes.push({ digest, outcome: 'needed' })
      return false
    }
    try {
      if (await this.#onBlob(digest, () => moveToTrash(this.#slice, digest))) return true
      outcomes.push({ digest, outcome: 'gone' })
    } catch (error) {
      outcomes.push({ digest, outcome: 'failed', error })
    }
    return false
  }

  /**
   * Removes the blobs, parents first unless none refers to another one: a blob that another process asked for meanwhile
   * still has its children.
   */
  async #removeMoved(moved: Set<Moved>, needed: AskNeeded, outcomes: RemovalOutcome[], atOnce: number): Promise<void> {
    if (moved.size === 0) return
    const roots = await this.#liveRoots()
    let isNeeded = await needed(roots, [])
    const all = [...moved]
    for (let i = 0; i < all.length; i += atOnce) {
      await this.#yielder.yieldIfDue()
      this.#slice.renew()
      const changed: StoredBlob[] = []
      const removeOne = async (one: Moved) => {
        const outcome = await this.#removeOne(one, isNeeded(one.blob))
        moved.delete(one)
        outcomes.push(outcome)
        if (outcome.outcome === 'changed') changed.push(one.blob)
      }
      await settleAll(all.slice(i, i + atOnce).map(removeOne))
      if (changed.length > 0) isNeeded = await needed(roots, changed)
    }
  }

  async #removeOne({ blob: { digest }, before }: Moved, needed: boolean): Promise<RemovalOutcome> {
    try {
      const emptied = await this.#onBlob(digest, () =>
        emptyTrash(this.#context, this.#slice, digest, needed ? undefined : before),
      )
      return { digest, outcome: needed ? 'needed' : emptied }
    } catch (error) {
      await this.#restore(digest)
      return { digest, outcome: 'failed', error }
    }
  }

  /** Yields to the event loop when 8 ms are used up, and then starts a new slice. */
  async #yieldIfDue(): Promise<void> {
    if (!this.#yielder.shouldYield()) return
    await this.#yielder.yield()
    this.#slice.renew()
  }

  /** Restores a blob that may be needed; the next collection would restore it, too. */
  async #restore(digest: Digest): Promise<void> {
    await restoreBlob(this.#context, digest).catch(() => undefined)
  }

  #onBlob<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    return onDisk({ act: 'remove', path: blobName(digest), writes: true }, work)
  }

  unfinished(): Promise<UnfinishedUsage> {
    this.#context.assertOpen()
    return unfinishedUsage(this.#context)
  }
}
