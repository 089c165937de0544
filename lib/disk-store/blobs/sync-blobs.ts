import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '../../digest/index.ts'
import { withFsyncLimit } from '../../internal/concurrency/fsync-limit.ts'
import { isErrno } from '../../internal/errno.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { READ_FLAGS } from '../places/record-file.ts'
import type { SyncedPlaces } from '../places/synced-places.ts'
import { removeBlobFile } from './remove-blob-file.ts'

/** PERF: more do not get the disk to do more at once, and would take the threads from everybody else. */
const AT_ONCE = 3

/**
 * Makes blobs survive a power cut that were published without: first their bytes, then their names. One that is gone is passed
 * over. One that cannot be synced is removed, for nobody knows any more what the disk holds of it.
 */
export async function syncBlobs(context: SyncedPlaces, digests: Iterable<Digest>): Promise<void> {
  const queue = [...digests]
  const directories = new Set<string>()
  const work = async () => {
    for (let digest = queue.pop(); digest; digest = queue.pop()) {
      if (await syncBlob(context, digest)) directories.add(dirname(blobName(digest)))
    }
  }
  await settleAll(Array.from({ length: AT_ONCE }, work))
  for (const directory of directories) {
    await onDisk({ act: 'sync', path: directory, writes: true }, () =>
      context.syncs.sync(context.places.directory(directory)),
    )
  }
}

/** Whether it is there. */
async function syncBlob(context: SyncedPlaces, digest: Digest): Promise<boolean> {
  const name = blobName(digest)
  return onDisk({ act: 'sync', path: name, writes: true }, async () => {
    try {
      const file = await withDescriptor(() => open(context.places.blob(digest), READ_FLAGS))
      try {
        await withFsyncLimit(() => file.sync())
      } catch (error) {
        // SAFETY: after a failed sync the system may hold pages for clean that never reached the disk.
        await removeBlobFile(context, digest).catch(() => undefined)
        throw error
      } finally {
        await file.close()
      }
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return false
      throw error
    }
  })
}
