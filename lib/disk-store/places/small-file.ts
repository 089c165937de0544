import { renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { temporaryName } from '../link-once.ts'

/**
 * Replaces a file as a whole, by synchronous calls as `readRecordNow` reads it; a power cut may leave the old one, the new one,
 * or damage.
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

/** Removes a file; fine if it is not there. */
export function removeSmallFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
