import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isErrno } from './errno.ts'
import { withDescriptor } from './with-descriptor.ts'

/**
 * Flags to open a file of a store for reading.
 *
 * SAFETY: another program may have put any entry into an untrusted store. O_NOFOLLOW: a symbolic link would lead out of
 * the store. O_NONBLOCK: opening a FIFO would block forever.
 */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Result of reading a small file. */
export type FoundRecord =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly stats: Stats }
  /** A regular file that this library did not write: it is too large, or begins with other bytes. */
  | { readonly kind: 'foreign'; readonly actual: string; readonly stats: Stats }
  /** No regular file. `actual` says for people what it is. */
  | { readonly kind: 'odd'; readonly actual: string }
  | { readonly kind: 'absent' }

/** Limits of a record. */
export interface RecordBounds {
  /** Maximum number of bytes read into memory. */
  readonly limit: number
  /** Pattern of the first bytes. PERF: checked first if the file is large, so that a sparse file is not read. */
  readonly begins?: RegExp
}

/** Maximum size of a file that is read in one call. */
const LARGE = 64 * 1024
/** Number of bytes checked first in a larger file. */
const HEAD = 64

/**
 * Reads a small file of the store. Another program may have put any entry in its place, so an entry that is not such a
 * file is a result, not an error.
 */
export async function readRecord(path: string, bounds: RecordBounds): Promise<FoundRecord> {
  try {
    const file = await withDescriptor(() => open(path, READ_FLAGS))
    try {
      const stats = await file.stat()
      const wrong = mismatch(stats, bounds)
      if (wrong) return wrong
      if (bounds.begins && stats.size > LARGE && !(await beginsWith(file, bounds.begins))) return otherBegin(stats)
      // A special file reports size 0, and a read would continue until its end.
      return { kind: 'file', stats, bytes: stats.size === 0 ? Buffer.alloc(0) : await file.readFile() }
    } finally {
      await file.close()
    }
  } catch (error) {
    return notOpened(error)
  }
}

/**
 * As {@link readRecord}, with synchronous calls.
 *
 * PERF: facts are files of a few hundred bytes, three for each blob of a pull. A call through Node's thread pool costs
 * this thread five times as much as the call itself; the caller yields to the event loop.
 */
export function readRecordNow(path: string, bounds: Pick<RecordBounds, 'limit'>): FoundRecord {
  try {
    // PERF: most facts that a pull asks for are absent; a failed open makes an error with a stack.
    if (!lstatSync(path, { throwIfNoEntry: false })) return { kind: 'absent' }
    const file = openSync(path, READ_FLAGS)
    try {
      const stats = fstatSync(file)
      const wrong = mismatch(stats, bounds)
      if (wrong) return wrong
      return { kind: 'file', stats, bytes: stats.size === 0 ? Buffer.alloc(0) : readFileSync(file) }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return notOpened(error)
  }
}

function mismatch(stats: Stats, { limit }: Pick<RecordBounds, 'limit'>): FoundRecord | undefined {
  if (!stats.isFile()) return { kind: 'odd', actual: describeKind(stats) }
  if (stats.size <= limit) return undefined
  return { kind: 'foreign', actual: `a file of ${stats.size} bytes, where at most ${limit} are expected`, stats }
}

async function beginsWith(file: FileHandle, begins: RegExp): Promise<boolean> {
  const head = Buffer.alloc(HEAD)
  await file.read(head, 0, HEAD, 0)
  return begins.test(head.toString('latin1'))
}

function otherBegin(stats: Stats): FoundRecord {
  return { kind: 'foreign', actual: 'a large file of other content', stats }
}

function notOpened(error: unknown): FoundRecord {
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { kind: 'absent' }
  // BSDs return EMLINK for a link, and EOPNOTSUPP for a socket.
  if (isErrno(error, 'ELOOP', 'EMLINK')) return { kind: 'odd', actual: 'a symbolic link' }
  if (isErrno(error, 'ENXIO', 'EOPNOTSUPP')) return { kind: 'odd', actual: 'a special file' }
  throw error
}

/** Human-readable type of an entry. */
export function describeKind(stats: Stats): string {
  if (stats.isFile()) return `a file of ${stats.size} bytes`
  if (stats.isDirectory()) return 'a directory'
  return stats.isSymbolicLink() ? 'a symbolic link' : 'a special file'
}
