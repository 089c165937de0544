import { randomBytes } from 'node:crypto'
import { link, lstat, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises'
import { withFsyncLimit } from './concurrency/fsync-limit.ts'
import { isErrno } from './errno.ts'
import { withDescriptor } from './with-descriptor.ts'

/** Creates a hard link unless the target exists; `unsupported` if the file system has no hard links. */
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

/** Creates a file with its whole content atomically, unless it exists. */
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

/** A unique name beside the file. The sweep recognises its form. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
}

/** Whether anything exists at a path. */
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
 * Creates a directory unless it exists. Its parent must exist: the recursive form of node:fs reports a full quota as
 * ENOENT, which is also the error for a missing parent.
 */
export async function ensureDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

/** Removes a file if it exists. PERF: `rm` of node:fs calls `lstat` first and takes 2.6 times as long. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/** Removes a directory unless another process uses it again. */
export async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
}

/**
 * Clears the path of a file to be created. A directory, which only another program can have put there, is moved aside
 * with its content.
 */
export async function makeWay(path: string): Promise<void> {
  try {
    await removeFile(path)
  } catch (error) {
    // POSIX specifies EPERM; Linux returns EISDIR.
    if (!isErrno(error, 'EISDIR', 'EPERM') || !(await lstat(path)).isDirectory()) throw error
    await rename(path, temporaryName(path))
  }
}
