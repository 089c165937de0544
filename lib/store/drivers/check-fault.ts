import type { Digest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'

/** Something that could not be looked at, or that says what cannot be: no blob is wrong because of it. */
export interface CheckFault {
  /** What it is about: a blob, or a file of the store. */
  readonly digest?: Digest
  /** Where it is, relative to the store. */
  readonly path: string
  /** Code of the error: `ERR_STORE_IO` if the system could not read, `ERR_STORE_FORMAT`, `ERR_INVALID_MANIFEST`, … */
  readonly code: string
  /** The system's errno name, for `ERR_STORE_IO`. */
  readonly errno?: string
  /** What went wrong, for people. */
  readonly message: string
  /** The way that leads to it, if it was reached on one. */
  readonly reason?: string
}

/** An error as a finding; what is no error of this library is thrown on. */
export function faultOf(error: unknown, about: Pick<CheckFault, 'digest' | 'path' | 'reason'>): CheckFault {
  if (!LayerStoreError.is(error)) throw error
  const { errno } = error as { errno?: string }
  return { ...about, code: error.code, message: error.message, ...(errno === undefined ? {} : { errno }) }
}
