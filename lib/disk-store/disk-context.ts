import type { DigestAlgorithm, HasherEngine } from '../digest/index.ts'
import { StoreError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { ElasticSemaphore } from '../internal/concurrency/elastic-semaphore.ts'
import { ensureDirectory } from '../internal/link-once.ts'
import type { LockOptions } from '../internal/locks/lock.ts'
import type { CorruptionPolicy, StoreEvent, VerifyPolicy } from '../store/index.ts'
import { Batch } from './batch/batch.ts'
import { BlobLooks } from './blobs/blob-looks.ts'
import { DirectorySync } from './directory-sync.ts'
import { onDisk } from './io-error.ts'
import { createOwnPart } from './layout.ts'
import type { Places } from './places/places.ts'

/** Settings of a disk store, with all defaults filled in. */
export interface DiskSettings {
  readonly hasher: HasherEngine
  readonly verify: VerifyPolicy
  readonly onCorrupt: CorruptionPolicy
  /** Whether acknowledged writes survive a power cut, at once or after the next name is set. */
  readonly durable: boolean
  /** Whether blobs are synced together before a name is set, instead of each by itself. */
  readonly batch: boolean
  readonly readOnly: boolean
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/** Maximum number of concurrent reads, and of concurrent puts: together they fit in 64 file descriptors. */
const OPEN_AT_ONCE = 20
/** Number of additional concurrent reads of small blobs. */
const SMALL_AT_ONCE = 4

/** State shared by the parts of a disk store. */
export class DiskContext {
  readonly places: Places
  readonly settings: DiskSettings
  readonly syncs: DirectorySync
  /** Number of files synced in the background while they are written. */
  backgroundSyncs = 0
  readonly batch: Batch
  /** Number of blobs open for reading, including readers whose callers pause. */
  openReads = 0
  readonly readers = new ElasticSemaphore(OPEN_AT_ONCE)
  /**
   * Permits for blobs of one chunk while all other permits are held, so that streams of large blobs do not block them.
   */
  readonly smallReaders = new ElasticSemaphore(SMALL_AT_ONCE)
  readonly looks: BlobLooks
  readonly puts = new ElasticSemaphore(OPEN_AT_ONCE)
  #open = true
  #prepared: Promise<void> | undefined
  readonly #blobDirectories = new Map<DigestAlgorithm, Promise<void>>()

  constructor(places: Places, settings: DiskSettings) {
    this.places = places
    this.settings = settings
    this.looks = new BlobLooks(places)
    this.syncs = new DirectorySync(settings.durable)
    this.batch = new Batch(this)
  }

  assertOpen(): void {
    if (!this.#open) throw new StoreError('ERR_STORE_CLOSED', 'this store has been closed')
  }

  close(): void {
    this.#open = false
  }

  /** Options to wait for a lock of this store. */
  waiting(lock: string, { signal }: AbortOptions): LockOptions {
    return { lock, signal, onEvent: this.settings.onEvent }
  }

  /** Prepares the store for writing, once. A layout of another tool gets `.layerstore` here, not when it is opened. */
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

  /** Creates the directory of an algorithm's blobs, once, and syncs its name. */
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
      // Also if another process created it: that process may not have synced it yet.
      await this.syncs.sync(this.places.blobs)
    })
  }
}
