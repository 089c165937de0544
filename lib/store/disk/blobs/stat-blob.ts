import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { BlobInfo } from '../../blob-store.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'

/** Size of a blob if it is there. Anything but a regular file is not a blob. */
export async function statBlob(context: DiskContext, digest: Digest): Promise<BlobInfo | undefined> {
  const name = blobName(digest)
  return onDisk({ act: 'look at', path: name }, async () => {
    try {
      const stats = await lstat(join(context.places.root, name))
      return stats.isFile() ? { digest, size: stats.size } : undefined
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  })
}
