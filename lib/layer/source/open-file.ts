import { constants, openSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { encodeName } from '../../internal/name-bytes.ts'
import { SourceReadFailure } from './source-fault.ts'

/**
 * SAFETY: never through a link that took the file's place, and never waiting for the writer of a FIFO that did.
 *
 * @internal
 */
export const SOURCE_READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * A path as system calls take it.
 *
 * @internal
 */
export function systemPath(path: string): string | Buffer {
  return /[\udc80-\udcff]/.test(path) ? encodeName(path) : path
}

/** Opens a file that a listing has named. */
export function openFile(path: string): number {
  try {
    return openSync(systemPath(path), SOURCE_READ_FLAGS)
  } catch (error) {
    throw openFailure(path, error)
  }
}

/**
 * Why a file that a listing has named could not be opened.
 *
 * @internal
 */
export function openFailure(path: string, cause: unknown): SourceReadFailure {
  return isErrno(cause, 'ELOOP', 'ENXIO', 'ENOENT', 'ENOTDIR', 'EMLINK')
    ? new SourceReadFailure('ERR_SOURCE_CHANGED', 'vanished or was replaced while the directory was read', path, cause)
    : new SourceReadFailure('ERR_SOURCE_READ', 'cannot be read', path, cause)
}

/**
 * A file that has not the size that it had.
 *
 * @internal
 */
export function sizeFailure(path: string, expected: number, actual: number): SourceReadFailure {
  const what = `changed while it was read (had ${expected} bytes, has ${actual > expected ? 'more' : actual})`
  return new SourceReadFailure('ERR_SOURCE_CHANGED', what, path)
}

/**
 * A file that is not the one it was.
 *
 * @internal
 */
export function replacedFailure(path: string): SourceReadFailure {
  return new SourceReadFailure('ERR_SOURCE_CHANGED', 'changed or was replaced while the directory was read', path)
}
