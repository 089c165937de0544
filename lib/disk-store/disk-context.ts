import type { DigestAlgorithm, HasherEngine } from '../digest/index.ts'
import { StoreError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { ElasticSemaphore } from '../internal/concurrency/elastic-semaphore.ts'
import type { CorruptionPolicy, StoreEvent, VerifyPolicy } from '../store/index.ts'
import { Batch } from './batch/batch.ts'
import { DirectorySync } from './directory-sync.ts'
import { onDisk } from './io-error.ts'
import { createOwnPart } from './layout.ts'
import { ensureDirectory } from './link-once.ts'
import type { LockOptions } from './locks/lock.ts'
import type { Places } from './places/places.ts'

/** Settings of a disk store, complete. */
export interface DiskSettings {
  readonly hasher: HasherEngine
  readonly verify: VerifyPolicy
  readonly onCorrupt: CorruptionPolicy
  /** Whether what was acknowledged is to survive a power cut, at once or from the next name on. */
  readonly durable: boolean
  /** Whether blobs are synced together, before a name is set, and not each by itself. */
  readonly batch: boolean
  readonly readOnly: boolean
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/** Blobs that are read at a time, and as many that are put: with both, 64 file descriptors will do. */
const OPEN_AT_ONCE = 20
/** Small blobs that are read beside them. */
const SMALL_AT_ONCE = 4

/** What the parts of a disk store share. */
export class DiskContext {
  readonly places: Places
  readonly settings: DiskSettings
  readonly syncs: DirectorySync
  /** Files being synced while they are written. */
  backgroundSyncs = 0
  readonly batch: Batch
  /** Blobs that are open for reading, also by readers whose callers pause. */
  openReads = 0
  readonly readers = new ElasticSemaphore(OPEN_AT_ONCE)
  /** For blobs of one piece, if all other permits are held: streams of large blobs do not hold them up. */
  readonly smallReaders = new ElasticSemaphore(SMALL_AT_ONCE)
  readonly puts = new ElasticSemaphore(OPEN_AT_ONCE)
  #open = true
  #prepared: Promise<void> | undefined
  readonly #blobDirectories = new Map<DigestAlgorithm, Promise<void>>()

  constructor(places: Places, settings: DiskSettings) {
    this.places = places
    this.settings = settings
    this.syncs = new DirectorySync(settings.durable)
    this.batch = new Batch(this)
  }

  assertOpen(): void {
    if (!this.#open) throw new StoreError('ERR_STORE_CLOSED', 'this store has been closed')
  }

  close(): void {
    this.#open = false
  }

  /** How to wait for a lock of this store. */
  waiting(lock: string, { signal }: AbortOptions): LockOptions {
    return { lock, signal, onEvent: this.settings.onEvent }
  }

  /** Makes ready for writing, once; a layout of another tool gets our own part here and not when it is opened. */
  async prepareWrite(): Promise<void> {
    this.assertOpen()
    if (this.settings.readOnly) throw new StoreError('ERR_STORE_READ_ONLY', 'this store was opened read-only')
    this.#prepared ??= createOwnPart(this.places, this.settings.durable, this.syncs)
    try {
      await this.#prepared
    } catch (error) {
      this.#prepared = undefined
      throw error
    }
  }

  /** Makes the directory of an algorithm's blobs, once; its own name is durable. */
  async prepareBlobs(algorithm: DigestAlgorithm): Promise<void> {
    let prepared = this.#blobDirectories.get(algorithm)
    if (!prepared) {
      prepared = this.#createBlobDirectory(`blobs/${algorithm}`)
      this.#blobDirectories.set(algorithm, prepared)
    }
    try {
      await prepared
    } catch (error) {
      this.#blobDirectories.delete(algorithm)
      throw error
    }
  }

  #createBlobDirectory(name: string): Promise<void> {
    return onDisk({ act: 'create', path: name, writes: true }, async () => {
      await ensureDirectory(this.places.directory(name))
      // Also if another process made it: that one may not have come to its sync yet.
      await this.syncs.sync(this.places.blobs)
    })
  }
}
