import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'

/** Where right bytes can be had. What comes from it is compared with its digest before it counts. */
export interface RepairSource {
  /** Names the source, for people. */
  readonly label: string
  /** The bytes of a blob, from the beginning. Rejects, in whatever way, if they cannot be had. */
  fetch(descriptor: Descriptor, options?: AbortOptions): AsyncIterable<Uint8Array>
}

/** Another store as a source. */
export function repairFromStore(store: Pick<Store, 'read'>, label = 'another store'): RepairSource {
  return { label, fetch: ({ digest }, options = {}) => store.read(digest, { ...options, verify: 'always' }) }
}
