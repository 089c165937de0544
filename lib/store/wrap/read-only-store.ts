import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type ByteSource, keepFault } from '../../internal/byte-source.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { BlobInfo, BlobWriter, IngestInfo, IngestOptions, ReadBlobOptions } from '../blob-store.ts'
import type { DerivedStore } from '../derived-store.ts'
import type { CheckDriver } from '../drivers/check-driver.ts'
import type { CollectionDriver } from '../drivers/collection-driver.ts'
import { listDocuments } from '../drivers/list-documents.ts'
import { type AddressOptions, driverOf, type StoreDriver } from '../drivers/store-driver.ts'
import type { Lease, LeaseStore } from '../leases/lease-store.ts'
import { readOnlyLease } from '../leases/read-only-lease.ts'
import type { NamedDescriptor, ReferenceStore } from '../reference-store.ts'
import type { Store } from '../store.ts'
import { readOnlyChecking, readOnlyCollection } from './read-only-drivers.ts'

/**
 * Wraps a store so that every write rejects with `ERR_STORE_READ_ONLY`. Leases acquired through it protect nothing, and
 * derived data set through it is not kept. Pass it to code that should only read. Closing it closes the store.
 *
 * @example
 * ```ts
 * const plan = await planPull(registry, readOnlyStore(store), 'node:22-slim')
 * ```
 */
export function readOnlyStore(store: Store): Store {
  return new ReadOnlyStore(store)
}

class ReadOnlyStore implements StoreDriver {
  readonly references: ReferenceStore
  readonly leases: LeaseStore
  readonly derived: DerivedStore
  readonly collection: CollectionDriver | undefined
  readonly checking: CheckDriver | undefined
  readonly #store: Store
  #open = true

  constructor(store: Store) {
    const refuse = (act: string) => this.#refuse(act)
    this.#store = store
    this.references = new ReadOnlyReferences(store.references, refuse)
    this.leases = new ReadOnlyLeases(store)
    this.derived = {
      get: (...args) => store.derived.get(...args),
      set: async (kind, key, _bytes, options) => void (await store.derived.get(kind, key, options)),
      list: (...args) => store.derived.list(...args),
      delete: () => refuse('forget derived data'),
    }
    const { collection, checking } = driverOf(store)
    this.collection = collection && readOnlyCollection(collection, refuse)
    this.checking = checking && readOnlyChecking(checking, refuse)
  }

  async addressOf(digest: Digest, options: AddressOptions): Promise<string | undefined> {
    return driverOf(this.#store).addressOf?.(digest, options)
  }

  stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined> {
    return this.#store.stat(digest, options)
  }

  read(digest: Digest, options?: ReadBlobOptions): AsyncIterable<Uint8Array> {
    // Moving a corrupt blob to quarantine is a write.
    return this.#store.read(digest, { ...options, onCorrupt: 'report' })
  }

  put(source: ByteSource): Promise<BlobInfo> {
    keepFault(source)
    return this.#refuse('put a blob')
  }

  ingest(): Promise<BlobWriter> {
    return this.#refuse('take a blob in')
  }

  async statIngest(key: string, options?: Omit<IngestOptions, 'wait' | 'hasher'>): Promise<IngestInfo | undefined> {
    return this.#store.statIngest?.(key, options)
  }

  delete(): Promise<void> {
    return this.#refuse('delete a blob')
  }

  list(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return this.#store.list(options)
  }

  documents(options?: AbortOptions): AsyncIterable<BlobInfo> {
    return listDocuments(driverOf(this.#store), options)
  }

  async #refuse(act: string): Promise<never> {
    if (!this.#open) throw new StoreError('ERR_STORE_CLOSED', 'this store has been closed')
    throw new StoreError('ERR_STORE_READ_ONLY', `may not ${act}: this view of the store is read-only`)
  }

  close(): Promise<void> {
    this.#open = false
    return this.#store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class ReadOnlyReferences implements ReferenceStore {
  readonly #references: ReferenceStore
  readonly #refuse: (act: string) => Promise<never>
  readonly names?: NonNullable<ReferenceStore['names']>

  constructor(references: ReferenceStore, refuse: (act: string) => Promise<never>) {
    this.#references = references
    if (references.names) this.names = options => references.names!(options)
    this.#refuse = refuse
  }

  get(name: string, options?: AbortOptions): Promise<Descriptor | undefined> {
    return this.#references.get(name, options)
  }

  set(): Promise<string> {
    return this.#refuse('set a name')
  }

  delete(): Promise<boolean> {
    return this.#refuse('take a name away')
  }

  list(options?: AbortOptions): AsyncIterable<NamedDescriptor> {
    return this.#references.list(options)
  }
}

/** Leases without a file, as in a store opened read-only: they leave no trace and protect nothing. */
class ReadOnlyLeases implements LeaseStore {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async hold(): Promise<Lease> {
    return readOnlyLease(digest => this.touch(digest))
  }

  async touch(digest: Digest, options?: AbortOptions): Promise<boolean> {
    return (await this.#store.stat(digest, options)) !== undefined
  }

  list(options?: AbortOptions): ReturnType<LeaseStore['list']> {
    return this.#store.leases.list(options)
  }
}
