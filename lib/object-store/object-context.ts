import type { HasherEngine } from '../digest/index.ts'
import { StoreError } from '../errors/index.ts'
import { ElasticSemaphore } from '../internal/concurrency/elastic-semaphore.ts'
import type { CorruptionPolicy, StoreEvent, VerifyPolicy } from '../store/index.ts'
import { Collections } from './announce/collections.ts'
import { HeldBlobs } from './leases/held-blobs.ts'
import { ServerClock } from './objects/server-clock.ts'
import type { Bucket } from './s3/bucket.ts'

/** Settings of an object store, with all defaults filled in. */
export interface ObjectSettings {
  readonly hasher: HasherEngine
  readonly verify: VerifyPolicy
  readonly onCorrupt: CorruptionPolicy
  readonly readOnly: boolean
  /** Bytes of one part of a multipart upload, and of one range of a read. */
  readonly partSize: number
  /** Parts of one blob in flight, the one being filled included. */
  readonly concurrency: number
  /** Age after which an upload without a living owner is ended. */
  readonly abandonedMs: number
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/** Maximum number of concurrent puts: together they buffer at most this many times a part size times a concurrency. */
const PUTS_AT_ONCE = 20

/** State shared by the parts of an object store. */
export class ObjectContext {
  readonly bucket: Bucket
  readonly settings: ObjectSettings
  readonly clock: ServerClock = new ServerClock()
  readonly collections: Collections
  readonly held: HeldBlobs = new HeldBlobs()
  readonly puts: ElasticSemaphore = new ElasticSemaphore(PUTS_AT_ONCE)
  #open = true

  constructor(bucket: Bucket, settings: ObjectSettings) {
    this.bucket = bucket
    this.settings = settings
    this.collections = new Collections(bucket, this.clock, settings.onEvent)
  }

  assertOpen(): void {
    if (!this.#open) throw new StoreError('ERR_STORE_CLOSED', 'this store has been closed')
  }

  assertWritable(): void {
    this.assertOpen()
    if (this.settings.readOnly) throw new StoreError('ERR_STORE_READ_ONLY', 'this store was opened read-only')
  }

  close(): void {
    this.#open = false
  }
}
