import { rm } from 'node:fs/promises'

/** Removes a directory and all in it, by the calls of this process. Idempotent. */
export function removeDirectory(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true })
}
