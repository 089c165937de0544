import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'
import type { SyncedPlaces } from '../synced-places.ts'

/** Removes a blob. Not synced: a blob that comes back after a power cut is only garbage again. */
export async function deleteBlob({ places }: Pick<SyncedPlaces, 'places'>, digest: Digest): Promise<void> {
  const name = blobName(digest)
  await onDisk({ act: 'remove', path: name, writes: true }, async () => {
    try {
      await unlink(join(places.root, name))
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    }
  })
}
