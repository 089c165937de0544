import { StoreError } from '../../errors/index.ts'
import type { Bucket, DeleteFault } from '../s3/bucket.ts'

/**
 * Deletes objects one by one for its callers, and in bulk in the bucket: a request takes all keys that were given while
 * the last one ran.
 */
export class GatheredDeletes {
  readonly #bucket: Bucket
  #keys = new Set<string>()
  #next: Promise<readonly DeleteFault[]> | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  /** Resolves when the object is gone. */
  async delete(key: string): Promise<void> {
    this.#keys.add(key)
    this.#next ??= this.#send()
    const fault = (await this.#next).find(one => one.key === key)
    if (fault) throw new StoreError('ERR_STORE_IO', `cannot remove ${key}: ${fault.code} ${fault.message}`)
  }

  async #send(): Promise<readonly DeleteFault[]> {
    await this.#running
    const keys = [...this.#keys]
    this.#keys = new Set()
    this.#next = undefined
    const [only, more] = keys
    const sending = only !== undefined && more === undefined ? this.#deleteOne(only) : this.#bucket.deleteMany(keys)
    this.#running = sending.catch(() => undefined)
    return sending
  }

  async #deleteOne(key: string): Promise<readonly DeleteFault[]> {
    await this.#bucket.delete(key)
    return []
  }
}
