import { constants } from 'node:os'
import { StoreError } from '../errors/index.ts'

/** What a piece of disk work is about, for errors: `write ingests/…`, relative to the store. */
export interface DiskAct {
  /** A verb in the infinitive. */
  readonly act: string
  /** Path relative to the store, never an absolute one. */
  readonly path: string
  /** Whether a refusal means that the store can only be read. */
  readonly writes?: boolean
}

/** Runs disk work; what the system refuses becomes a {@link StoreError}, everything else passes as it is. */
export async function onDisk<T>(what: DiskAct, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asStoreError(what, error)
  }
}

/** The error that a system error stands for; other errors as they are. */
export function asStoreError({ act, path, writes }: DiskAct, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause
  const code = nameOf(cause)
  if (writes && (code === 'EROFS' || code === 'EACCES' || code === 'EPERM')) {
    return new StoreError('ERR_STORE_READ_ONLY', `may not ${act} ${path} (${code})`, { cause, errno: code })
  }
  return new StoreError('ERR_STORE_IO', `could not ${act} ${path} (${code})`, { cause, errno: code })
}

/** The runtime has no name for some errors, a full quota among them; the system has. */
function nameOf({ code, errno }: NodeJS.ErrnoException & { code: string }): string {
  if (!code.startsWith('Unknown')) return code
  const known = Object.entries(constants.errno).find(([, number]) => number === -(errno ?? 0))
  return known?.[0] ?? code
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string'
}
