import type { Digest } from '../../digest/index.ts'
import { BlobNotFoundError, StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import type { BlobInfo, BlobWriter, IngestInfo, IngestOptions, PutOptions, ReadBlobOptions } from '../blob-store.ts'
import type { DerivedStore } from '../derived-store.ts'
import type { CheckDriver } from '../drivers/check-driver.ts'
import type { CollectionDriver } from '../drivers/collection-driver.ts'
import { listDocuments } from '../drivers/list-documents.ts'
import { type AddressOptions, driverOf, type StoreDriver } from '../drivers/store-driver.ts'
import type { LeaseStore } from '../leases/lease-store.ts'
import type { ReferenceStore } from '../reference-store.ts'
import type { Store } from '../store.ts'
import { openTierCopy } from './tier-copy.ts'

/** Options of a tiered store. */
export interface TieredStoreOptions {
  /** Copy a blob that is read as a whole from the slow store into the fast one. @defaultValue `true` */
  readonly fill?: boolean | undefined
}

/**
 * Combines a fast store with a slow one. The slow store is authoritative: blobs and names are written to it, and
 * listings come from it. The fast store holds only copies, which may be removed or collected at any time; every read
 * asks it first.
 *
 * A whole blob read from the slow store is copied to the fast one chunk by chunk, with bounded memory. A failed copy (a
 * full disk, another copy running) never fails the read. Closing it closes both.
 *
 * @example
 * ```ts
 * await using store = tieredStore(await openStore('/var/cache/images'), await openStore('/mnt/shared/images'))
 * ```
 */
export function tieredStore(fast: Store, slow: Store, options: TieredStoreOptions = {}): Store {
  return new TieredStore(fast, slow, options.fill ?? true)
}

class TieredStore implements StoreDriver {
  readonly #fast: Store
  readonly #slow: Store
  readonly #fill: boolean

  constructor(fast: Store, slow: Store, fill: boolean) {
    this.#fast = fast
    this.#slow = slow
    this.#fill = fill
  }

  get references(): ReferenceStore {
    return this.#slow.references
  }

  get leases(): LeaseStore {
    return this.#slow.leases
  }

  get derived(): DerivedStore {
    return this.#slow.derived
  }

  get collection(): CollectionDriver | undefined {
    return driverOf(this.#slow).collection
  }

  get checking(): CheckDriver | undefined {
    return driverOf(this.#slow).checking
  }

  async addressOf(digest: Digest, options: AddressOptions): Promise<string | undefined> {
    return driverOf(this.#slow).addressOf?.(digest, options)
  }

  stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined> {
    return this.#slow.stat(digest, options)
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    if (yield* this.#readFast(digest, options)) return
    const whole = !options.offset && options.length === undefined
    const copy = this.#fill && whole ? await openTierCopy(this.#fast, digest) : undefined
    try {
      for await (const chunk of this.#slow.read(digest, options)) {
        await copy?.take(chunk)
        yield chunk
      }
      await copy?.finish()
    } finally {
      await copy?.close()
    }
  }

  /**
   * Resolves to whether the fast store had the blob. If it fails before the first byte, the slow store is read instead.
   */
  async *#readFast(digest: Digest, options: ReadBlobOptions): AsyncGenerator<Uint8Array, boolean, undefined> {
    let given = false
    try {
      for await (const chunk of this.#fast.read(digest, options)) {
        given = true
        yield chunk
      }
      return true
    } catch (error) {
      const elsewhere =
        error instanceof BlobNotFoundError || (error instanceof StoreError && error.code === 'ERR_STORE_IO')
      if (given || !elsewhere) throw error
      return false
    }
  }

  put(source: ByteSource, options?: PutOptions): Promise<BlobInfo> {
    return this.#slow.put(source, options)
  }

  ingest(key: string, options?: IngestOptions): Promise<BlobWriter> {
    return this.#slow.ingest(key, options)
  }

  async statIngest(key: string, options?: Omit<IngestOptions, 'wait' | 'hasher'>): Promise<IngestInfo | undefined> {
    return this.#slow.statIngest?.(key, options)
  }

  async delete(digest: Digest, options?: AbortOptions): Promise<void> {
    await this.#slow.delete(digest, options)
    // Last: a read that began earlier may just have copied the blob to the fast store.
    await this.#fast.delete(digest, options)
  }

  list(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return this.#slow.list(options)
  }

  documents(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return listDocuments(driverOf(this.#slow), options)
  }

  async close(): Promise<void> {
    await Promise.all([this.#fast.close(), this.#slow.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
