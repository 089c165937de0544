import { LayerStoreError } from './base.ts'

/** A thread that computes digests has crashed or was ended from outside. The bytes are not to blame: try again. */
export class HasherError extends LayerStoreError {
  readonly code = 'ERR_HASHER'
}
