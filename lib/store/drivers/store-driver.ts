import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo } from '../blob-store.ts'
import type { Store } from '../store.ts'
import type { CheckDriver } from './check-driver.ts'
import type { CollectionDriver } from './collection-driver.ts'

/** Options of {@link StoreDriver.addressOf}. */
export interface AddressOptions extends AbortOptions {
  /** Seconds for which the address works. A store may end it sooner. */
  readonly expiresIn: number
}

/** Interface of a store driver: the {@link Store} that users hold, and the members that maintenance uses. */
export interface StoreDriver extends Store {
  /**
   * Absolute path of the store, if it is a directory of this machine. `layerstore/sandbox` keeps unpacked layers and
   * containers in it.
   */
  readonly directory?: string | undefined

  /** Used by `planCollection` and `runCollection`; absent if garbage cannot be collected. */
  readonly collection?: CollectionDriver | undefined

  /** Used by `checkStore` and `repairStore`; absent if the members of {@link Store} are enough. */
  readonly checking?: CheckDriver | undefined

  /**
   * Resolves to an address that answers GET, also of a range, with the bytes of a blob, for some time and without
   * credentials. The blob need not exist; the reader must verify the bytes. Absent if the store has no such addresses;
   * `undefined` if this blob has none.
   */
  addressOf?(digest: Digest, options: AddressOptions): Promise<string | undefined>

  /** Lists every blob that may be a manifest or an index, and few others. Absent if the store does not know them. */
  documents?(options?: AbortOptions): AsyncIterable<BlobInfo>
}

/**
 * The driver's side of a store that a user holds. Every store is its own driver; the members for maintenance are
 * optional.
 */
export function driverOf(store: Store): StoreDriver {
  return store
}
