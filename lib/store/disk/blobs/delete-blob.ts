import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'

/** Removes a blob. Not synced: a blob that comes back after a power cut is only garbage again. */
export async function deleteBlob(context: DiskContext, digest: Digest): Promise<void> {
  const name = blobName(digest)
  await onDisk({ act: 'remove', path: name, writes: true }, async () => {
    try {
      await unlink(join(context.places.root, name))
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    }
  })
}
