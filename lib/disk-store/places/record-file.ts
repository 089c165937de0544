import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isErrno } from '../../internal/errno.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'

/**
 * How every file of a store is opened for reading.
 *
 * SAFETY: a store may come from a stranger. O_NOFOLLOW: a symbolic link would lead out of the store. O_NONBLOCK: the open of a
 * FIFO would wait for a writer that never comes.
 */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What stands in the place of a small file. */
export type FoundRecord =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly stats: Stats }
  /** A regular file that this library did not write: it is too large, or begins with other bytes. */
  | { readonly kind: 'foreign'; readonly actual: string; readonly stats: Stats }
  /** No regular file. `actual` says for people what it is. */
  | { readonly kind: 'odd'; readonly actual: string }
  | { readonly kind: 'absent' }

/** What a record may be. */
export interface RecordBounds {
  /** Most bytes that are read into memory. */
  readonly limit: number
  /** What the first bytes match. PERF: looked at first if the file is large, so that a sparse file is not read. */
  readonly begins?: RegExp
}

/** Up to this size a file is read in one go. */
const LARGE = 64 * 1024
/** Bytes that are looked at first in a larger one. */
const HEAD = 64

/**
 * Reads a small file of the store. Everything below a store may have been put there by another program, so what is no such
 * file is an answer and no error.
 */
export async function readRecord(path: string, bounds: RecordBounds): Promise<FoundRecord> {
  try {
    const file = await withDescriptor(() => open(path, READ_FLAGS))
    try {
      const stats = await file.stat()
      const wrong = mismatch(stats, bounds)
      if (wrong) return wrong
      if (bounds.begins && stats.size > LARGE && !(await beginsWith(file, bounds.begins))) return otherBegin(stats)
      // A file without a size would be read for as long as it grows.
      return { kind: 'file', stats, bytes: stats.size === 0 ? Buffer.alloc(0) : await file.readFile() }
    } finally {
      await file.close()
    }
  } catch (error) {
    return notOpened(error)
  }
}

/**
 * As {@link readRecord}, by synchronous calls.
 *
 * PERF: facts are files of some hundred bytes, three for each blob of a pull. A call that goes through Node's thread pool costs
 * five times as much of this thread as the call itself; the caller yields to the event loop.
 */
export function readRecordNow(path: string, bounds: Pick<RecordBounds, 'limit'>): FoundRecord {
  try {
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
  // BSDs answer EMLINK for a link, and EOPNOTSUPP for a socket.
  if (isErrno(error, 'ELOOP', 'EMLINK')) return { kind: 'odd', actual: 'a symbolic link' }
  if (isErrno(error, 'ENXIO', 'EOPNOTSUPP')) return { kind: 'odd', actual: 'a special file' }
  throw error
}

/** What stands under a path, for people. */
export function describeKind(stats: Stats): string {
  if (stats.isFile()) return `a file of ${stats.size} bytes`
  if (stats.isDirectory()) return 'a directory'
  return stats.isSymbolicLink() ? 'a symbolic link' : 'a special file'
}
