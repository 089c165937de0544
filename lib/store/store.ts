import type { BlobStore } from './blob-store.ts'
import type { DerivedStore } from './derived-store.ts'
import type { CheckDriver } from './drivers/check-driver.ts'
import type { CollectionDriver } from './drivers/collection-driver.ts'
import type { LeaseStore } from './leases/lease-store.ts'
import type { ReferenceStore } from './reference-store.ts'

/** A store: blobs under digests and names under references. Every driver implements it and every operation takes it. */
export interface Store extends BlobStore, AsyncDisposable {
  /** Names of images. */
  readonly references: ReferenceStore

  /** Protection of blobs from collections. */
  readonly leases: LeaseStore

  /** Driver of {@link planCollection} and {@link runCollection}; absent if the store cannot collect garbage. */
  readonly collection?: CollectionDriver | undefined

  /** Cache of data derived from blobs. */
  readonly derived: DerivedStore

  /** Driver of {@link checkStore} and {@link repairStore}; absent if the other members are enough. */
  readonly checking?: CheckDriver | undefined

  /** Releases the resources of the store. Idempotent; later calls reject with `ERR_STORE_CLOSED`. */
  close(): Promise<void>
}
