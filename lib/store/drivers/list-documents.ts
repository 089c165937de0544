import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import type { BlobInfo } from '../blob-store.ts'
import type { StoreDriver } from './store-driver.ts'

/** Lists the blobs that may be manifests or indexes: those that the store knows of, else all that are small enough. */
export async function* listDocuments(
  store: Pick<StoreDriver, 'list' | 'documents'>,
  options: AbortOptions = {},
): AsyncGenerator<BlobInfo, void, undefined> {
  for await (const blob of store.documents?.(options) ?? store.list(options)) {
    if (blob.size <= Limits.manifestBytes) yield blob
  }
}
