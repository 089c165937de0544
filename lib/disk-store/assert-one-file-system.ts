import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { DIGEST_ALGORITHMS } from '../digest/index.ts'
import { StoreError } from '../errors/index.ts'
import { isErrno } from '../internal/errno.ts'
import { onDisk } from './io-error.ts'
import type { Places } from './places/places.ts'

/**
 * Refuses a store whose parts are on different file systems. A file gets its final name by a hard link, which cannot
 * cross file systems; a copy instead would make incomplete blobs visible.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`.
 */
export async function assertOneFileSystem({ root, blobs, own, ingests }: Places): Promise<void> {
  // The path of the store itself may be a symbolic link.
  const parts = [
    `${root}/.`,
    blobs,
    ...Object.keys(DIGEST_ALGORITHMS).map(algorithm => join(blobs, algorithm)),
    own,
    ingests,
  ]
  const devices = await Promise.all(parts.map(deviceOf))
  const odd = devices.findIndex(device => device !== undefined && device !== devices[0])
  if (odd < 0) return
  const name = (parts[odd] as string).slice(root.length + 1)
  throw new StoreError('ERR_STORE_FORMAT', `${name} is on another file system than the rest of the store`)
}

function deviceOf(path: string): Promise<number | undefined> {
  return onDisk({ act: 'look at', path: '.' }, async () => {
    try {
      return (await lstat(path)).dev
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  })
}
