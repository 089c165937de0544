import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'

/** Source of intact blobs for a repair. The repair verifies every blob from it against its digest. */
export interface RepairSource {
  /** Human-readable name of the source. */
  readonly label: string
  /** Reads the bytes of a blob from the beginning. Rejects with any error if the source cannot supply them. */
  fetch(descriptor: Descriptor, options?: AbortOptions): AsyncIterable<Uint8Array>
}

/**
 * Uses another store as a repair source.
 *
 * @example
 * ```ts
 * await using other = await openStore('/mnt/backup/images', { readOnly: true })
 * await repairStore(store, await checkStore(store), [repairFromStore(other, 'the backup')])
 * ```
 */
export function repairFromStore(store: Pick<Store, 'read'>, label = 'another store'): RepairSource {
  return { label, fetch: ({ digest }, options = {}) => store.read(digest, { ...options, verify: 'always' }) }
}
