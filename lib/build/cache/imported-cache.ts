import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { StepRecord } from './step-record.ts'

/** Records of a cache that was exported, and the way to their layers. */
export interface ImportedCache extends AsyncDisposable {
  /** Records by their content keys and definition keys. */
  readonly records: ReadonlyMap<Digest, StepRecord>

  /** Reads a layer. The bytes are not verified: the store compares their digest. */
  read(layer: Descriptor, options?: AbortOptions): AsyncIterable<Uint8Array>
}
