import type { AbortOptions } from '../../internal/abort.ts'
import { Keys } from '../objects/keys.ts'
import type {
  Bucket,
  BucketConditions,
  DeleteManyOptions,
  ListOptions,
  ObjectBody,
  PresignOptions,
  PutObjectOptions,
  PutResult,
} from '../s3/bucket.ts'
import type { BucketLocks } from './bucket-locks.ts'

/**
 * A bucket whose conditional writes are made under a lock: the object is looked at, then written. Unconditional writes
 * and deletes of objects that are also written under conditions take the lock too.
 */
export class LockedBucket implements Bucket {
  readonly address: string
  readonly #bucket: Bucket
  readonly #locks: BucketLocks

  constructor(bucket: Bucket, locks: BucketLocks) {
    this.address = bucket.address
    this.#bucket = bucket
    this.#locks = locks
  }

  async conditions(): Promise<BucketConditions> {
    return { ifNoneMatch: true, ifMatch: true }
  }

  async put(key: string, body: Uint8Array | ObjectBody, options: PutObjectOptions = {}): Promise<PutResult> {
    const { ifNoneMatch, ifMatch, ...plain } = options
    // Every writer of a blob writes the same bytes: the last one may win.
    if (ifNoneMatch && key.startsWith(Keys.blobs)) return this.#putAbsent(key, body, plain)
    if (!ifNoneMatch && ifMatch === undefined && !isContended(key)) return this.#bucket.put(key, body, plain)
    const lock = await this.#locks.acquire(this.#lockOf(key), options)
    try {
      const existing = ifNoneMatch || ifMatch !== undefined ? await this.#bucket.head(key, options) : undefined
      const holds = ifNoneMatch ? !existing : ifMatch === undefined || existing?.etag === ifMatch
      if (!holds) return { stored: false, existing, uncertain: false }
      await lock.assertHeld()
      return await this.#bucket.put(key, body, plain)
    } finally {
      // An expired lock is another process's; the write above is done either way.
      await lock.release().catch(() => undefined)
    }
  }

  async #putAbsent(key: string, body: Uint8Array | ObjectBody, options: PutObjectOptions): Promise<PutResult> {
    const existing = await this.#bucket.head(key, options)
    return existing ? { stored: false, existing, uncertain: false } : this.#bucket.put(key, body, options)
  }

  #lockOf(key: string): string {
    return `${this.address} ${key}`
  }

  head(key: string, options?: AbortOptions) {
    return this.#bucket.head(key, options)
  }

  get(key: string, options?: Parameters<Bucket['get']>[1]) {
    return this.#bucket.get(key, options)
  }

  async delete(key: string, options?: AbortOptions): Promise<void> {
    if (!isContended(key)) return this.#bucket.delete(key, options)
    const lock = await this.#locks.acquire(this.#lockOf(key), options)
    try {
      await lock.assertHeld()
      await this.#bucket.delete(key, options)
    } finally {
      await lock.release().catch(() => undefined)
    }
  }

  deleteMany(keys: Iterable<string> | AsyncIterable<string>, options?: DeleteManyOptions) {
    return this.#bucket.deleteMany(keys, options)
  }

  list(prefix: string, options?: ListOptions) {
    return this.#bucket.list(prefix, options)
  }

  listFolders(prefix: string, options?: ListOptions) {
    return this.#bucket.listFolders(prefix, options)
  }

  startUpload(key: string, options?: Parameters<Bucket['startUpload']>[1]) {
    return this.#bucket.startUpload(key, options)
  }

  putPart(
    key: string,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
    options?: Parameters<Bucket['putPart']>[4],
  ) {
    return this.#bucket.putPart(key, uploadId, number, bytes, options)
  }

  completeUpload(
    key: string,
    uploadId: string,
    parts: Parameters<Bucket['completeUpload']>[2],
    options?: Parameters<Bucket['completeUpload']>[3],
  ) {
    return this.#bucket.completeUpload(key, uploadId, parts, options)
  }

  abortUpload(key: string, uploadId: string, options?: AbortOptions) {
    return this.#bucket.abortUpload(key, uploadId, options)
  }

  listUploads(prefix: string, options?: AbortOptions) {
    return this.#bucket.listUploads(prefix, options)
  }

  listParts(key: string, uploadId: string, options?: AbortOptions) {
    return this.#bucket.listParts(key, uploadId, options)
  }

  copy(from: string, to: string, options?: AbortOptions) {
    return this.#bucket.copy(from, to, options)
  }

  presign(key: string, options: PresignOptions) {
    return this.#bucket.presign(key, options)
  }

  close(): void {
    this.#bucket.close()
  }
}

/** Whether an object is also written under conditions. */
function isContended(key: string): boolean {
  return key.startsWith(Keys.references) || key === Keys.collection || key === Keys.format
}
