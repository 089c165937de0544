import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { BlobInfo } from '../../blob-store.ts'
import { restoreBlob } from '../collect/trash.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'

/** Size of a blob if it is there. Anything but a regular file is not a blob. */
export async function statBlob(context: DiskContext, digest: Digest): Promise<BlobInfo | undefined> {
  const stats = (await lookAtBlob(context, digest)) ?? (await lookAgain(context, digest))
  return stats && { digest, size: stats.size }
}

/** What a collection is just removing is brought back: somebody asks for it. */
async function lookAgain(context: DiskContext, digest: Digest): Promise<Stats | undefined> {
  return (await restoreBlob(context, digest)) ? lookAtBlob(context, digest) : undefined
}

/** What the system says of a blob's file, if there is one. */
export async function lookAtBlob(context: DiskContext, digest: Digest): Promise<Stats | undefined> {
  const name = blobName(digest)
  return onDisk({ act: 'look at', path: name }, async () => {
    try {
      const stats = await lstat(join(context.places.root, name))
      return stats.isFile() ? stats : undefined
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  })
}
