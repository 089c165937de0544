import { lstat, lutimes, rename } from 'node:fs/promises'
import { type Digest, splitDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import type { BlobInfo } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { exists, linkOnce } from '../link-once.ts'
import { blobName } from '../places/places.ts'
import { syncBlobName } from '../places/synced-places.ts'
import { syncBlobs } from './sync-blobs.ts'
import { restoreBlob } from './trash.ts'

/**
 * Gives a synced file its final name, and makes the name survive a power cut. A blob that is there already with its
 * size stays and counts as success; one with another size is corrupt, and is replaced as a whole.
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
      // A collection may have taken it away since.
      if ((await freshen(to)) !== 'gone') break
    }
    if (batch) context.batch.add(blob.digest)
    else await syncBlobName(context, blob.digest)
  })
}

/** Makes a blob as good as one just put: its name durable, its age zero. Resolves to whether it is there. */
export async function acknowledgeBlob(context: DiskContext, digest: Digest): Promise<boolean> {
  return onDisk({ act: 'sync', path: blobName(digest), writes: true }, async () => {
    if (context.settings.batch) await context.batch.announce()
    if ((await touchBlob(context, digest)) === 'gone') return false
    // Another process may have linked it and not have come to its own sync yet.
    if (context.settings.batch) context.batch.add(digest)
    else if ((await context.batch.othersSince()) < Number.POSITIVE_INFINITY) await syncBlobs(context, [digest])
    else await syncBlobName(context, digest)
    return true
  })
}

/** What became of making a blob young: `refused` if it is there, but its times may not be changed. */
export type Touched = 'touched' | 'refused' | 'gone'

/** Makes a blob as young as one just put. */
export async function touchBlob(context: DiskContext, digest: Digest): Promise<Touched> {
  const path = context.places.blob(digest)
  const touched = await freshen(path)
  return touched === 'gone' && (await restoreBlob(context, digest)) ? freshen(path) : touched
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

/** Tells a collection that the blob is wanted. It may belong to another user; but it must be there. */
async function freshen(path: string): Promise<Touched> {
  const now = new Date()
  try {
    await lutimes(path, now, now)
    // SAFETY: the call may have found the file before a collection moved it away and changed its time after it was removed.
    // What still stands here, moves away after the change if it does, and the collection sees it.
    return (await exists(path)) ? 'touched' : 'gone'
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'gone'
    return (await exists(path)) ? 'refused' : 'gone'
  }
}
