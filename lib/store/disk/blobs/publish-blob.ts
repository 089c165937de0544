import { lstat, lutimes, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { splitDigest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { BlobInfo } from '../../blob-store.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../layout.ts'
import { linkOnce } from '../link-once.ts'

/**
 * Gives a synced file its final name, and makes the name survive a power cut. A blob that is there already with its
 * size stays and counts as success; one with another size is corrupt, and is replaced as a whole.
 */
export async function publishBlob(context: DiskContext, from: string, blob: BlobInfo): Promise<void> {
  const directory = await context.blobDirectory(splitDigest(blob.digest).algorithm)
  const name = blobName(blob.digest)
  const to = join(context.places.root, name)
  await onDisk({ act: 'publish', path: name, writes: true }, async () => {
    const outcome = await linkOnce(from, to)
    if (outcome !== 'linked') {
      if (await isWhole(to, blob.size)) await freshen(to)
      else await rename(from, to)
    }
    await context.syncs.sync(directory)
  })
}

/** Makes a blob that is there as good as one just put: its name durable, its age zero. */
export async function acknowledgeBlob(context: DiskContext, blob: BlobInfo): Promise<void> {
  const name = blobName(blob.digest)
  const path = join(context.places.root, name)
  await onDisk({ act: 'sync', path: name, writes: true }, async () => {
    await freshen(path)
    // Another process may have linked it and not have come to its own sync yet.
    await context.syncs.sync(dirname(path))
  })
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

/** Tells a collection that goes by age that the blob is wanted. Best effort: it may belong to another user. */
async function freshen(path: string): Promise<void> {
  const now = new Date()
  await lutimes(path, now, now).catch(() => undefined)
}
