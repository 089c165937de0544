import { readdir } from 'node:fs/promises'
import { isErrno } from '../../internal/errno.ts'

/** Names of the entries of a directory; none if it does not exist. */
export async function entryNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
