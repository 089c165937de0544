import { constants, openSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { systemPath } from '../../internal/name-bytes.ts'
import { SourceReadFailure } from './source-fault.ts'

/**
 * SAFETY: another process may replace the file by a link or a FIFO. The open neither follows the link nor waits for a
 * writer of the FIFO.
 *
 * @internal
 */
export const SOURCE_READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Opens a file that a listing has named. */
export function openFile(path: string): number {
  try {
    return openSync(systemPath(path), SOURCE_READ_FLAGS)
  } catch (error) {
    throw openFailure(path, error)
  }
}

/**
 * Returns the failure for a listed file that could not be opened.
 *
 * @internal
 */
export function openFailure(path: string, cause: unknown): SourceReadFailure {
  return isErrno(cause, 'ELOOP', 'ENXIO', 'ENOENT', 'ENOTDIR', 'EMLINK')
    ? new SourceReadFailure('ERR_SOURCE_CHANGED', 'vanished or was replaced while the directory was read', path, cause)
    : new SourceReadFailure('ERR_SOURCE_READ', `cannot be read${suffixOf(cause)}`, path, cause)
}

function suffixOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  return code === undefined ? '' : ` (${code})`
}

/**
 * Returns the failure for a file whose size has changed.
 *
 * @internal
 */
export function sizeFailure(path: string, expected: number, actual: number): SourceReadFailure {
  const what = `changed while it was read (had ${expected} bytes, has ${actual > expected ? 'more' : actual})`
  return new SourceReadFailure('ERR_SOURCE_CHANGED', what, path)
}

/**
 * Returns the failure for a file that was replaced by another one.
 *
 * @internal
 */
export function replacedFailure(path: string): SourceReadFailure {
  return new SourceReadFailure('ERR_SOURCE_CHANGED', 'changed or was replaced while the directory was read', path)
}
