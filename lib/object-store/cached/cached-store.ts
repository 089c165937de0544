import { type Digest, parseDigest } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError, StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type ByteSource, keepFault } from '../../internal/byte-source.ts'
import { SingleFlight } from '../../internal/concurrency/single-flight.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import {
  type AddressOptions,
  assertStore,
  type BlobInfo,
  type BlobWriter,
  type CheckDriver,
  type CollectionDriver,
  type DerivedStore,
  driverOf,
  type IngestInfo,
  type IngestOptions,
  type LeaseStore,
  listDocuments,
  type PutOptions,
  type ReadBlobOptions,
  type ReferenceStore,
  type Store,
  type StoreDriver,
} from '../../store/index.ts'
import { CacheRoom } from './cache-room.ts'
import { CachedDerived } from './cached-derived.ts'
import { CachedWriter } from './cached-writer.ts'
import { fetchToCache } from './fetch-to-cache.ts'
import { uploadFromCache } from './upload-from-cache.ts'

/** Options of {@link cachedStore}. */
export interface CachedStoreOptions {
  /**
   * Most bytes of blobs in the cache; those used longest ago are removed. A blob that is being written may exceed it
   * until it is in the shared store. @defaultValue no limit
   */
  readonly maxBytes?: number | undefined
}

/**
 * Puts a store of this machine in front of a store that machines share, such as one in a bucket. The shared store is
 * the source of truth: names, leases, lists and collections are its own.
 *
 * - A blob that is read as a whole is downloaded to the cache first, once for all readers of all processes that use the
 *   cache, and verified there.
 * - A blob that is written goes to the cache first, so that its digest is known, and is then uploaded unless the shared
 *   store has it. Of machines that write the same blob (from 64 KiB) at once, one uploads it.
 * - Failures of the cache, such as a full disk, do not fail a read.
 *
 * The cache is removed from at any time: give it a store of its own, without names; one with names is never removed
 * from. Closing the store closes both.
 *
 * @example
 * ```ts
 * const cache = await openStore('/var/cache/images', { durability: 'none' })
 * const shared = await openObjectStore({ bucket: 'images', prefix: 'team' })
 * await using store = cachedStore(cache, shared, { maxBytes: 20e9 })
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export function cachedStore(cache: Store, shared: Store, options: CachedStoreOptions = {}): Store {
  assertStore(cache)
  assertStore(shared)
  const { maxBytes = Number.POSITIVE_INFINITY } = options
  if (!(typeof maxBytes === 'number' && maxBytes > 0)) throw invalidArgument('maxBytes', 'bytes, more than 0', maxBytes)
  return new CachedStore(cache, shared, maxBytes)
}

class CachedStore implements StoreDriver {
  readonly derived: DerivedStore
  readonly #cache: Store
  readonly #shared: Store
  readonly #room: CacheRoom
  readonly #fetches = new SingleFlight<boolean>()
  readonly #uploads = new SingleFlight<void>()

  constructor(cache: Store, shared: Store, maxBytes: number) {
    this.#cache = cache
    this.#shared = shared
    this.#room = new CacheRoom(cache, maxBytes)
    this.derived = new CachedDerived(cache.derived, shared.derived)
  }

  get references(): ReferenceStore {
    return this.#shared.references
  }

  get leases(): LeaseStore {
    return this.#shared.leases
  }

  get collection(): CollectionDriver | undefined {
    return driverOf(this.#shared).collection
  }

  get checking(): CheckDriver | undefined {
    return driverOf(this.#shared).checking
  }

  async addressOf(digest: Digest, options: AddressOptions): Promise<string | undefined> {
    return driverOf(this.#shared).addressOf?.(digest, options)
  }

  stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined> {
    return this.#shared.stat(digest, options)
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    parseDigest(digest)
    if (yield* this.#readCached(digest, options)) return
    const isWhole = !options.offset && options.length === undefined
    if (isWhole && (await this.#fetch(digest, options)) && (yield* this.#readCached(digest, options))) return
    yield* this.#shared.read(digest, options)
  }

  #fetch(digest: Digest, { signal }: AbortOptions): Promise<boolean> {
    return this.#fetches.run(
      digest,
      stop => fetchToCache({ cache: this.#cache, shared: this.#shared, room: this.#room }, digest, stop),
      signal,
    )
  }

  /** Resolves to whether the cache gave the blob. A damaged copy is removed, so that the next read fetches it anew. */
  async *#readCached(digest: Digest, options: ReadBlobOptions): AsyncGenerator<Uint8Array, boolean, undefined> {
    let hasGiven = false
    try {
      for await (const chunk of this.#cache.read(digest, { ...options, onCorrupt: 'report' })) {
        if (!hasGiven) await this.#room.use(digest)
        hasGiven = true
        yield chunk
      }
      return true
    } catch (error) {
      if (error instanceof BlobCorruptError) await this.#cache.delete(digest).catch(() => undefined)
      if (hasGiven || !isFaultOfCache(error)) throw error
      return false
    }
  }

  async put(source: ByteSource, options: PutOptions = {}): Promise<BlobInfo> {
    keepFault(source)
    this.#assertWritable()
    const there = options.digest && (await this.#shared.stat(options.digest, options))
    if (there && (options.size === undefined || options.size === there.size)) {
      if (await this.#shared.leases.touch(there.digest, options)) return there
    }
    const blob = await this.#cache.put(source, options)
    await this.#upload(blob, options)
    return blob
  }

  async ingest(key: string, options?: IngestOptions): Promise<BlobWriter> {
    this.#assertWritable()
    const writer = await this.#cache.ingest(key, options)
    return new CachedWriter(writer, (blob, signal) => this.#upload(blob, { signal }))
  }

  async statIngest(key: string, options?: Omit<IngestOptions, 'wait' | 'hasher'>): Promise<IngestInfo | undefined> {
    return this.#cache.statIngest?.(key, options)
  }

  async #upload(blob: BlobInfo, { signal }: AbortOptions): Promise<void> {
    const upload = (stop: AbortSignal) => uploadFromCache(this.#cache, this.#shared, blob, stop)
    await this.#uploads.run(blob.digest, upload, signal)
    await this.#room.add(blob.size)
  }

  /** The cache would accept bytes that the shared store refuses only after all of them were written. */
  #assertWritable(): void {
    if (!driverOf(this.#shared).collection?.readOnly) return
    throw new StoreError('ERR_STORE_READ_ONLY', 'the shared store was opened read-only')
  }

  async delete(digest: Digest, options?: AbortOptions): Promise<void> {
    await this.#shared.delete(digest, options)
    // Last: a read that began earlier may just have fetched the blob.
    await this.#cache.delete(digest, options)
  }

  list(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return this.#shared.list(options)
  }

  documents(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return listDocuments(driverOf(this.#shared), options)
  }

  async close(): Promise<void> {
    await this.#cache.close()
    await this.#shared.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function isFaultOfCache(error: unknown): boolean {
  if (error instanceof BlobNotFoundError || error instanceof BlobCorruptError) return true
  return error instanceof StoreError && error.code === 'ERR_STORE_IO'
}
