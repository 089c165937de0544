import type { BlobStore } from './blob-store.ts'
import type { ReferenceStore } from './reference-store.ts'

/** Blobs under digests and names under references: what every driver is and every act takes. */
export interface Store extends BlobStore, AsyncDisposable {
  /** Names of images. */
  readonly references: ReferenceStore

  /** Frees what the store holds open. Idempotent; calls after it reject with `ERR_STORE_CLOSED`. */
  close(): Promise<void>
}
