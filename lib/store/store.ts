import type { BlobStore } from './blob-store.ts'
import type { DerivedStore } from './derived-store.ts'
import type { LeaseStore } from './leases/lease-store.ts'
import type { ReferenceStore } from './reference-store.ts'

/**
 * A store: blobs under digests and names under references. Users hold it, and every operation takes it. What a driver
 * implements besides is in `StoreDriver`.
 */
export interface Store extends BlobStore, AsyncDisposable {
  /** Names of images. */
  readonly references: ReferenceStore

  /** Protection of blobs from collections. */
  readonly leases: LeaseStore

  /** Cache of data derived from blobs. */
  readonly derived: DerivedStore

  /** Releases the resources of the store. Idempotent; later calls reject with `ERR_STORE_CLOSED`. */
  close(): Promise<void>
}
