import { unlink } from 'node:fs/promises'
import type { Digest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import type { SyncedPlaces } from '../places/synced-places.ts'

/** Removes a blob. Not synced: a blob that reappears after a power cut is only garbage again. */
export async function removeBlobFile({ places }: Pick<SyncedPlaces, 'places'>, digest: Digest): Promise<void> {
  await onDisk({ act: 'remove', path: blobName(digest), writes: true }, async () => {
    try {
      await unlink(places.blob(digest))
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    }
  })
}
