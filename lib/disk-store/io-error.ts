import { constants } from 'node:os'
import { StoreError } from '../errors/index.ts'

/** Description of a disk operation for errors: `write ingests/…`, relative to the store. */
export interface DiskAct {
  /** A verb in the infinitive. */
  readonly act: string
  /** Path relative to the store, never absolute. */
  readonly path: string
  /** Whether EACCES, EPERM or EROFS mean a read-only store. */
  readonly writes?: boolean
}

/** Runs a disk operation and converts system errors to {@link StoreError}; other errors are rethrown. */
export async function onDisk<T>(what: DiskAct, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asStoreError(what, error)
  }
}

/** Converts a system error to a {@link StoreError}; returns other errors unchanged. */
export function asStoreError({ act, path, writes }: DiskAct, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause
  const code = nameOf(cause)
  if (writes && (code === 'EROFS' || code === 'EACCES' || code === 'EPERM')) {
    const message = `the store is read-only for this user: may not ${act} ${shownPath(path)} (${code})`
    return new StoreError('ERR_STORE_READ_ONLY', message, { cause, errno: code })
  }
  const message =
    path === '.' && code === 'ENOTDIR'
      ? 'it, or a part of its path, is not a directory (ENOTDIR)'
      : `could not ${act} ${shownPath(path)} (${code})`
  return new StoreError('ERR_STORE_IO', message, { cause, errno: code })
}

/** `.` alone says nothing unless one knows that paths are relative to the store. */
function shownPath(path: string): string {
  return path === '.' ? 'its directory' : path
}

/** Node has no name for some errors, e.g. `Unknown system error -122` for EDQUOT; `os.constants.errno` has. */
function nameOf({ code, errno }: NodeJS.ErrnoException & { code: string }): string {
  if (!code.startsWith('Unknown')) return code
  const known = Object.entries(constants.errno).find(([, number]) => number === -(errno ?? 0))
  return known?.[0] ?? code
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string'
}
