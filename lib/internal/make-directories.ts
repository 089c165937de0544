import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { isErrno } from './errno.ts'

/**
 * Creates a directory and its missing parents. Returns the first directory that it created, or `undefined`.
 *
 * NODE: `mkdir` with `recursive` never returns below a file system that answers ENOENT although the parent exists, such
 * as `/proc/nope` (Node 20 and 22).
 *
 * @throws the system's error.
 */
export function makeDirectories(path: string): string | undefined {
  let first: string | undefined
  let refused: string | undefined
  const missing = [path]
  for (let at = missing.at(-1); at !== undefined; at = missing.at(-1)) {
    try {
      mkdirSync(at)
      first ??= at
      missing.pop()
    } catch (error) {
      if (isErrno(error, 'EEXIST', 'EISDIR') && statSync(at).isDirectory()) {
        missing.pop()
        continue
      }
      const parent = dirname(at)
      if (!isErrno(error, 'ENOENT') || parent === at) throw error
      if (!existsSync(parent)) missing.push(parent)
      // Another process may have created the parent meanwhile: one more attempt decides.
      else if (refused === at) throw error
      else refused = at
    }
  }
  return first
}
