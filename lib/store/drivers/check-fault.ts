import type { Digest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'

/** A part of the store that could not be read or is invalid. No blob is corrupt because of it. */
export interface CheckFault {
  /** Digest of the blob concerned; absent for another file of the store. */
  readonly digest?: Digest
  /** Path relative to the store. */
  readonly path: string
  /** Code of the error: `ERR_STORE_IO` if the system could not read, `ERR_STORE_FORMAT`, `ERR_INVALID_MANIFEST`, … */
  readonly code: string
  /** The system's errno name, for `ERR_STORE_IO`. */
  readonly errno?: string
  /** Human-readable message. */
  readonly message: string
  /** Path of references that leads to it, if a reference does. */
  readonly reason?: string
}

/** Converts an error of this library to a fault; rethrows any other error. */
export function faultOf(error: unknown, about: Pick<CheckFault, 'digest' | 'path' | 'reason'>): CheckFault {
  if (!LayerStoreError.is(error)) throw error
  const { errno } = error as { errno?: string }
  return { ...about, code: error.code, message: error.message, ...(errno === undefined ? {} : { errno }) }
}
