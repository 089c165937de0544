import type { BlobStore } from './blob-store.ts'
import type { DerivedStore } from './derived-store.ts'
import type { CheckDriver } from './drivers/check-driver.ts'
import type { CollectionDriver } from './drivers/collection-driver.ts'
import type { LeaseStore } from './leases/lease-store.ts'
import type { ReferenceStore } from './reference-store.ts'

/** Blobs under digests and names under references: what every driver is and every act takes. */
export interface Store extends BlobStore, AsyncDisposable {
  /** Names of images. */
  readonly references: ReferenceStore

  /** Protection from collections. */
  readonly leases: LeaseStore

  /** What {@link planCollection} and {@link runCollection} work with; absent where garbage cannot be collected. */
  readonly collection?: CollectionDriver | undefined

  /** What was worked out from blobs and need not be worked out again. */
  readonly derived: DerivedStore

  /** What {@link checkStore} and {@link repairStore} work with; absent where all they need is in the other members. */
  readonly checking?: CheckDriver | undefined

  /** Frees what the store holds open. Idempotent; calls after it reject with `ERR_STORE_CLOSED`. */
  close(): Promise<void>
}
