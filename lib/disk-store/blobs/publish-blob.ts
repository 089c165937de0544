import { lstat, lutimes, rename } from 'node:fs/promises'
import { type Digest, splitDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { linkOnce } from '../../internal/link-once.ts'
import type { BlobInfo } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { syncBlobName } from '../places/synced-places.ts'
import { syncBlobs } from './sync-blobs.ts'
import { restoreBlob, stateOf } from './trash.ts'

/**
 * Gives a synced file its final name and syncs the name. An existing blob of the same size stays, and counts as
 * success; one of another size is corrupt and is replaced.
 */
export async function publishBlob(context: DiskContext, from: string, blob: BlobInfo): Promise<void> {
  await context.prepareBlobs(splitDigest(blob.digest).algorithm)
  const { batch } = context.settings
  if (batch) await context.batch.announce()
  const name = blobName(blob.digest)
  await onDisk({ act: 'publish', path: name, writes: true }, async () => {
    const to = context.places.blob(blob.digest)
    for (;;) {
      const outcome = await linkOnce(from, to)
      if (outcome === 'linked') break
      if (!(await isWhole(to, blob.size))) {
        await rename(from, to)
        break
      }
      // A collection may have moved the existing blob away meanwhile.
      if ((await freshen(to)) !== 'gone') break
    }
    if (batch) context.batch.add(blob.digest)
    else await syncBlobName(context, blob.digest)
  })
}

/** Acknowledges a blob: syncs its name and sets its time to now. Resolves to whether it exists. */
export async function acknowledgeBlob(context: DiskContext, digest: Digest): Promise<boolean> {
  return onDisk({ act: 'sync', path: blobName(digest), writes: true }, async () => {
    if ((await touchBlob(context, digest)) === 'gone') return false
    // Another process may have linked the blob and not have synced the directory yet. It has a marker of its own, so a
    // batch that has only such blobs needs none.
    if (context.settings.batch) context.batch.add(digest)
    else if ((await context.batch.othersSince()) < Number.POSITIVE_INFINITY) await syncBlobs(context, [digest])
    else await syncBlobName(context, digest)
    return true
  })
}

/** Outcome of touching a blob; `refused` if the blob exists but its times may not be changed. */
export type Touched = 'touched' | 'refused' | 'gone'

/** Sets the time of a blob to now. */
export async function touchBlob(context: DiskContext, digest: Digest): Promise<Touched> {
  const path = () => context.places.blob(digest)
  // PERF: a pull asks for every blob that it will fetch; an absent one costs no call through the thread pool.
  const touched = (await context.looks.look(digest)) ? await freshen(path()) : 'gone'
  return touched === 'gone' && (await restoreBlob(context, digest)) ? freshen(path()) : touched
}

async function isWhole(path: string, size: number): Promise<boolean> {
  try {
    const stats = await lstat(path)
    return stats.isFile() && stats.size === size
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Sets the file's time, so that a collection sees that the blob is wanted. Another user may own it, but it must exist.
 */
async function freshen(path: string): Promise<Touched> {
  const now = new Date()
  try {
    await lutimes(path, now, now)
    // SAFETY: `lutimes` may have found the file before a collection moved it away, and set its time after the removal;
    // the blob would count as touched but be gone. If the file still exists here, a later move follows the change, and
    // the collection sees the new time.
    return (await stateOf(path)) ? 'touched' : 'gone'
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'gone'
    return (await stateOf(path)) ? 'refused' : 'gone'
  }
}
