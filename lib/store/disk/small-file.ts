import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { temporaryName } from './link-once.ts'

/*
 * PERF: facts are files of some hundred bytes, three for each blob of a pull. A call that goes through Node's thread pool costs five
 * times as much of this thread as the call itself, so these are made here; the caller lets others have their turn.
 */

/** All bytes of a file; `undefined` if it is not there, is no file, or has more than `limit`. */
export function readSmallFile(path: string, limit: number): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined
    throw error
  }
  try {
    const stats = fstatSync(fd)
    return stats.isFile() && stats.size <= limit ? readFileSync(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

/** Replaces a file as a whole; a power cut may leave the old one, the new one, or damage. */
export function replaceSmallFile(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = temporaryName(path)
  try {
    writeFileSync(temporary, bytes, { flag: 'wx', mode })
    renameSync(temporary, path)
  } catch (error) {
    try {
      unlinkSync(temporary)
    } catch {
      // It may never have been there; else the sweep finds it.
    }
    throw error
  }
}

/** Removes a file; fine if it is not there. */
export function removeSmallFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
