import { join } from 'node:path'
import type { Digest } from '../../digest/index.ts'
import { removeFile } from '../../internal/link-once.ts'
import { syncBlobs } from '../blobs/sync-blobs.ts'
import { onDisk } from '../io-error.ts'
import type { SyncedPlaces } from '../places/synced-places.ts'
import { readMarkers, writeMarker } from './batch-marker.ts'

/**
 * The blobs that an open store has published but not synced yet (`durability: 'batch'`). They are synced together
 * before a name is set and when the store is closed. A marker on disk tells other processes, and the next process that
 * opens the store after a power cut.
 */
export class Batch {
  readonly #context: SyncedPlaces
  #blobs = new Set<Digest>()
  #marker: Promise<string> | undefined
  #tail: Promise<void> = Promise.resolve()

  constructor(context: SyncedPlaces) {
    this.#context = context
  }

  /** Writes the marker. Await it before the first unsynced blob becomes visible. */
  async announce(): Promise<void> {
    this.#marker ??= onDisk({ act: 'write', path: '.layerstore/unsynced', writes: true }, () =>
      writeMarker(this.#context),
    )
    try {
      await this.#marker
    } catch (error) {
      this.#marker = undefined
      throw error
    }
  }

  /** Adds a published blob. */
  add(digest: Digest): void {
    this.#blobs.add(digest)
  }

  /** Syncs the blobs added before the call. */
  flush(): Promise<void> {
    const flushed = this.#tail.then(() => this.#flush())
    this.#tail = flushed.catch(() => undefined)
    return flushed
  }

  async #flush(): Promise<void> {
    if (this.#blobs.size === 0) return
    const blobs = this.#blobs
    this.#blobs = new Set()
    try {
      await syncBlobs(this.#context, blobs)
    } catch (error) {
      // The sync failed: keep the blobs that still exist pending.
      for (const digest of blobs) this.#blobs.add(digest)
      throw error
    }
  }

  /**
   * Syncs everything and removes the marker. If the sync fails the marker stays for the next process that opens the
   * store.
   */
  async close(): Promise<void> {
    const marker = await this.#marker?.catch(() => undefined)
    await this.flush()
    if (marker === undefined) return
    await onDisk({ act: 'remove', path: '.layerstore/unsynced', writes: true }, () =>
      removeFile(join(this.#context.places.unsynced, marker)),
    )
  }

  /** Earliest time since which another store may have unsynced blobs; `Infinity` if there are none. */
  async othersSince(): Promise<number> {
    const own = await this.#marker?.catch(() => undefined)
    const markers = await onDisk({ act: 'list', path: '.layerstore/unsynced' }, () => readMarkers(this.#context))
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...markers.filter(({ name }) => name !== own).map(({ sinceMs }) => sinceMs),
    )
  }
}
