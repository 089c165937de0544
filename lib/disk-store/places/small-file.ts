import { renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { temporaryName } from '../../internal/link-once.ts'

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
