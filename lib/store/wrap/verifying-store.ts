import {
  createDigester,
  type Digest,
  type Digester,
  type HasherEngine,
  parseDigest,
  splitDigest,
} from '../../digest/index.ts'
import { BlobNotFoundError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { type ByteSource, chunksOf, keepFault } from '../../internal/byte-source.ts'
import type { BlobInfo, BlobWriter, IngestInfo, IngestOptions, PutOptions, ReadBlobOptions } from '../blob-store.ts'
import type { DerivedStore } from '../derived-store.ts'
import type { CheckDriver } from '../drivers/check-driver.ts'
import type { CollectionDriver } from '../drivers/collection-driver.ts'
import { assertSame, proven } from '../drivers/prove.ts'
import { checkRange } from '../drivers/read-range.ts'
import { driverOf, type StoreDriver } from '../drivers/store-driver.ts'
import { verifyStored } from '../drivers/verify-stored.ts'
import type { LeaseStore } from '../leases/lease-store.ts'
import type { ReferenceStore } from '../reference-store.ts'
import type { Store } from '../store.ts'
import { VerifyingWriter } from './verifying-writer.ts'

/** Options of a verifying store. */
export interface VerifyingStoreOptions {
  /** Hash engine. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
}

/**
 * Wraps a store that is not trusted. Every read of a whole blob is compared with its digest; every put is hashed here
 * and compared with the digest and size that the store reports. For drivers over unreliable media, and for testing
 * drivers. Costs one more hash pass. A read with `verify: 'never'` is not verified. Closing it closes the store.
 *
 * @example
 * ```ts
 * await using verified = verifyingStore(store)
 * await verified.put(createReadStream('app.tar'), { digest })
 * ```
 */
export function verifyingStore(store: Store, options: VerifyingStoreOptions = {}): Store {
  return new VerifyingStore(store, options.hasher ?? 'wasm')
}

class VerifyingStore implements StoreDriver {
  readonly #store: Store
  readonly #hasher: HasherEngine

  constructor(store: Store, hasher: HasherEngine) {
    this.#store = store
    this.#hasher = hasher
  }

  get references(): ReferenceStore {
    return this.#store.references
  }

  get leases(): LeaseStore {
    return this.#store.leases
  }

  get derived(): DerivedStore {
    return this.#store.derived
  }

  get collection(): CollectionDriver | undefined {
    return driverOf(this.#store).collection
  }

  get checking(): CheckDriver | undefined {
    return driverOf(this.#store).checking
  }

  stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined> {
    return this.#store.stat(digest, options)
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    checkRange(options)
    const blob = await this.#store.stat(digest, options)
    if (!blob) throw new BlobNotFoundError(digest)
    const whole = !options.offset && (options.length ?? blob.size) >= blob.size
    if (!whole || options.verify === 'never') return yield* this.#store.read(digest, options)
    yield* verifyStored(this.#store.read(digest, { ...options, verify: 'never' }), blob, this.#hasher)
  }

  async put(source: ByteSource, options: PutOptions = {}): Promise<BlobInfo> {
    keepFault(source)
    const algorithm = options.digest === undefined ? 'sha256' : splitDigest(parseDigest(options.digest)).algorithm
    const digester = await createDigester({ algorithm, hasher: this.#hasher })
    try {
      const seen = { own: undefined as BlobInfo | undefined }
      const stored = await this.#store.put(observed(source, digester, options, seen), options)
      // The store did not read the source because it already had the blob.
      if (seen.own) assertSame(stored, seen.own)
      return stored
    } finally {
      digester.release()
    }
  }

  async ingest(key: string, options: IngestOptions = {}): Promise<BlobWriter> {
    const writer = await this.#store.ingest(key, options)
    try {
      const algorithm = options.algorithm ?? 'sha256'
      const digester = await createDigester({ algorithm, hasher: this.#hasher })
      return new VerifyingWriter({ store: this, writer, digester, algorithm })
    } catch (error) {
      await writer[Symbol.asyncDispose]()
      throw error
    }
  }

  async statIngest(key: string, options?: Omit<IngestOptions, 'wait' | 'hasher'>): Promise<IngestInfo | undefined> {
    return this.#store.statIngest?.(key, options)
  }

  delete(digest: Digest, options?: AbortOptions): Promise<void> {
    return this.#store.delete(digest, options)
  }

  list(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return this.#store.list(options)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Passes the chunks on and throws if they differ from the expected digest or size. */
async function* observed(
  source: ByteSource,
  digester: Digester,
  options: PutOptions,
  seen: { own: BlobInfo | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of abortableItems(chunksOf(source), options.signal)) {
    digester.update(chunk)
    yield chunk
  }
  seen.own = proven(digester, options)
}
