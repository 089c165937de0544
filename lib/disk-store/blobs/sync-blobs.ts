import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '../../digest/index.ts'
import { withFsyncLimit } from '../../internal/concurrency/fsync-limit.ts'
import { isErrno } from '../../internal/errno.ts'
import { READ_FLAGS } from '../../internal/record-file.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import type { SyncedPlaces } from '../places/synced-places.ts'
import { removeBlobFile } from './remove-blob-file.ts'

/** PERF: more concurrent syncs do not raise the disk's throughput and would block Node's thread pool. */
const AT_ONCE = 3

/**
 * Syncs blobs that were published unsynced: first their bytes, then their names. A missing blob is skipped. A blob
 * whose sync fails is removed, because its content on disk is unknown.
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

/** Syncs one blob. Resolves to whether it exists. */
async function syncBlob(context: SyncedPlaces, digest: Digest): Promise<boolean> {
  const name = blobName(digest)
  return onDisk({ act: 'sync', path: name, writes: true }, async () => {
    try {
      const file = await withDescriptor(() => open(context.places.blob(digest), READ_FLAGS))
      try {
        await withFsyncLimit(() => file.sync())
      } catch (error) {
        // SAFETY: after a failed fsync Linux may mark the pages clean although they never reached the disk; a second
        // fsync would succeed and a torn blob would count as durable. So the blob is removed.
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
