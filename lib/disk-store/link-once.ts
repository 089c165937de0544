import { randomBytes } from 'node:crypto'
import { link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises'
import { withFsyncLimit } from '../internal/concurrency/fsync-limit.ts'
import { isErrno } from '../internal/errno.ts'
import { withDescriptor } from '../internal/with-descriptor.ts'

/** Gives a file a second name unless that name is taken; `unsupported` where the file system has no hard links. */
export async function linkOnce(from: string, to: string): Promise<'linked' | 'taken' | 'unsupported'> {
  try {
    await link(from, to)
    return 'linked'
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return 'taken'
    if (isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return 'unsupported'
    throw error
  }
}

/** Creates a file with all of its content at once, unless it is there. */
export async function createOnce(path: string, data: Uint8Array, durable: boolean): Promise<void> {
  const temporary = temporaryName(path)
  try {
    const file = await withDescriptor(() => open(temporary, 'wx', 0o644))
    try {
      await file.writeFile(data)
      if (durable) await withFsyncLimit(() => file.sync())
    } finally {
      await file.close()
    }
    if ((await linkOnce(temporary, path)) === 'unsupported' && !(await exists(path))) await rename(temporary, path)
  } finally {
    await removeFile(temporary)
  }
}

/** A name beside the file, used by nobody else. The sweep knows the form. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
}

/** Whether there is anything under a path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

/**
 * Makes a directory unless it is there. Its parent must be: the recursive form of node:fs reports a full quota as
 * ENOENT, which could not be told from a parent that is gone.
 */
export async function ensureDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

/** Removes a file; fine if it is not there. PERF: `rm` of node:fs looks first and takes 2.6 times as long. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/** Removes a directory unless somebody uses it again. */
export async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

/**
 * Takes away what stands in the place of a file that is about to be made. A directory, which only another program can have put
 * there, is moved aside with all that it holds.
 */
export async function makeWay(path: string): Promise<void> {
  try {
    await removeFile(path)
  } catch (error) {
    // POSIX says EPERM where Linux says EISDIR.
    if (!isErrno(error, 'EISDIR', 'EPERM') || !(await lstat(path)).isDirectory()) throw error
    await rename(path, temporaryName(path))
  }
}
