import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { settleAll } from '../../../internal/settle-all.ts'
import type {
  CollectionDriver,
  CollectionRoots,
  LiveRoots,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from '../../collect/collection-driver.ts'
import { dropBallast, keepBallast } from '../ballast.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'
import { acquireLock, withLock } from '../lock.ts'
import type { DiskReferences } from '../references/disk-references.ts'
import { readCacheRecords, removeCacheRecord } from './cache-records.ts'
import { readLeases } from './lease-file.ts'
import { expectedDigests, unfinishedUsage } from './list-ingests.ts'
import { SmallReader } from './read-small.ts'
import { countRemoval, prepareRemovals } from './removals.ts'
import { scanBlobs } from './scan-blobs.ts'
import { createTrash, emptyTrash, type FileState, moveToTrash, restoreAll, restoreBlob, stateOf } from './trash.ts'

/** A blob that has left its place, as it was before anybody was asked whether it is needed. */
interface Moved {
  readonly digest: Digest
  readonly before: FileState
}

/** What collections do in a directory. */
export class DiskCollection implements CollectionDriver {
  readonly #context: DiskContext
  readonly #references: DiskReferences
  readonly #reader: SmallReader

  constructor(context: DiskContext, references: DiskReferences) {
    this.#context = context
    this.#references = references
    this.#reader = new SmallReader(context)
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
    const { names, entries } = await this.#references.entries()
    return { names, entries, leases: await readLeases(this.#context) }
  }

  document(digest: Digest): Promise<Uint8Array | undefined> {
    return this.#reader.read(digest)
  }

  async alone<T>(act: () => Promise<T>, options: AbortOptions = {}): Promise<T> {
    await dropBallast(this.#context.places)
    await this.#context.prepareWrite()
    const what = { act: 'lock', path: '.layerstore/locks/collect', writes: true }
    const lock = await onDisk(what, () => acquireLock(this.#context.places.collectLock, options))
    try {
      await createTrash(this.#context)
      await prepareRemovals(this.#context)
      await onDisk({ act: 'restore', path: '.layerstore/trash', writes: true }, () => restoreAll(this.#context))
      return await act()
    } finally {
      await keepBallast(this.#context.places.ballast)
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
    const { leases } = this.#context.places
    await onDisk({ act: 'remove', path: '.layerstore/leases', writes: true }, async () => {
      if (ids.length === 0) return
      const names = new Set(await readdir(leases))
      // SAFETY: only names that were read from the directory, never a path.
      for (const id of ids) if (names.has(`${id}.json`)) await rm(join(leases, `${id}.json`), { force: true })
    })
  }

  async remove(
    blobs: readonly StoredBlob[],
    needed: (roots: LiveRoots) => Promise<(blob: StoredBlob) => boolean>,
    options: AbortOptions = {},
  ): Promise<RemovalOutcome[]> {
    const outcomes: RemovalOutcome[] = []
    const unchanged = await this.#unchanged(blobs, outcomes)
    const moved = await this.#moveAway(unchanged, needed, outcomes, options)
    for (const { digest, before } of moved) {
      try {
        outcomes.push({ digest, outcome: await this.#onBlob(digest, () => emptyTrash(this.#context, digest, before)) })
      } catch (error) {
        // Whether somebody relies on it is not known any more; the next collection would bring it back, too.
        await restoreBlob(this.#context, digest).catch(() => undefined)
        outcomes.push({ digest, outcome: 'failed', error })
      }
    }
    return outcomes
  }

  /**
   * SAFETY: the order is what makes this safe without locks for those who store and lease: look at the blob (1), look at the
   * leases and names (2), move the blob away (3), look at it again (4). Who relies on a blob takes a lease and then touches
   * it. Touched before (1), the lease was there before (2) and is seen; between (1) and (3), the touch is seen at (4);
   * after (3), the touch fails, and the blob is brought back or stored again.
   */
  async #unchanged(blobs: readonly StoredBlob[], outcomes: RemovalOutcome[]): Promise<[StoredBlob, FileState][]> {
    const states = await settleAll(
      blobs.map(({ digest }) => this.#onBlob(digest, () => stateOf(join(this.#context.places.root, blobName(digest))))),
    )
    return blobs.flatMap((blob, i): [StoredBlob, FileState][] => {
      const state = states[i]
      if (state?.mtimeMs === blob.modifiedMs) return [[blob, state]]
      outcomes.push({ digest: blob.digest, outcome: state ? 'changed' : 'gone' })
      return []
    })
  }

  async #moveAway(
    blobs: readonly [StoredBlob, FileState][],
    needed: (roots: LiveRoots) => Promise<(blob: StoredBlob) => boolean>,
    outcomes: RemovalOutcome[],
    options: AbortOptions,
  ): Promise<Moved[]> {
    if (blobs.length === 0) return []
    const what = { act: 'lock', path: 'index.json', writes: true }
    return onDisk(what, () =>
      withLock(
        this.#context.places.indexLock,
        async lock => {
          const isNeeded = await needed(await this.#liveRoots())
          await lock.assertHeld()
          // Before the first blob leaves: who sets a name has looked at the number before looking at the blobs.
          await countRemoval(this.#context)
          const moved = await settleAll(
            blobs.map(([blob, before]) => this.#moveOne(blob, before, isNeeded(blob), outcomes)),
          )
          return moved.filter(one => one !== undefined)
        },
        options,
      ),
    )
  }

  async #moveOne(
    { digest }: StoredBlob,
    before: FileState,
    needed: boolean,
    outcomes: RemovalOutcome[],
  ): Promise<Moved | undefined> {
    if (needed) {
      outcomes.push({ digest, outcome: 'needed' })
      return undefined
    }
    try {
      if (await this.#onBlob(digest, () => moveToTrash(this.#context, digest))) return { digest, before }
      outcomes.push({ digest, outcome: 'gone' })
    } catch (error) {
      outcomes.push({ digest, outcome: 'failed', error })
    }
    return undefined
  }

  #onBlob<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    return onDisk({ act: 'remove', path: blobName(digest), writes: true }, work)
  }

  unfinished(): Promise<UnfinishedUsage> {
    this.#context.assertOpen()
    return unfinishedUsage(this.#context)
  }
}
