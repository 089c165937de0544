import { LayerStoreError } from './base.ts'

/** A worker thread that computes digests crashed or was terminated. The input is not the cause; a retry may succeed. */
export class HasherError extends LayerStoreError {
  readonly code = 'ERR_HASHER'
}
