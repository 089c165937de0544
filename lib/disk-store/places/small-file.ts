import { renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { temporaryName } from '../../internal/link-once.ts'

/**
 * Writes a small file as {@link replaceSmallFile} does, but writes to the path itself if no file is there yet. A reader
 * may see a part of the file, and after a failure or a kill it may stay: for files with a checksum only.
 *
 * PERF: a pull of 1000 small layers writes 3000 facts; a temporary name and a rename are half of the time of each.
 */
export function writeSmallFile(path: string, bytes: Uint8Array, mode: number): void {
  try {
    // SAFETY: exclusive creation follows no link that another program has put there.
    writeFileSync(path, bytes, { flag: 'wx', mode })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    replaceSmallFile(path, bytes, mode)
  }
}

/**
 * Replaces a file as a whole, with synchronous calls (see `readRecordNow`). A power cut may leave the old file, the new
 * one, or a damaged one.
 */
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
