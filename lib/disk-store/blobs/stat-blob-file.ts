import type { Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Digest, splitDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import type { BlobInfo } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { lstat } from './calls-at-once.ts'
import { restoreBlob } from './trash.ts'

/** Resolves to the size of a blob, or `undefined`. Only a regular file is a blob. */
export async function statBlobFile(context: DiskContext, digest: Digest): Promise<BlobInfo | undefined> {
  const stats = (await lookAtBlob(context, digest)) ?? (await lookAgain(context, digest))
  return stats && { digest, size: stats.size }
}

/** Restores the blob if a collection is just removing it: a caller asks for it. */
async function lookAgain(context: DiskContext, digest: Digest): Promise<Stats | undefined> {
  return (await restoreBlob(context, digest)) ? lookAtBlob(context, digest) : undefined
}

/**
 * Stats of a blob's file, or `undefined`.
 *
 * PERF: a pull looks for each of its blobs five times, so the looks are synchronous; after 8 ms of them the event loop
 * gets a turn.
 */
export async function lookAtBlob(context: DiskContext, digest: Digest): Promise<Stats | undefined> {
  await context.looks.yieldIfDue()
  return onDisk({ act: 'look at', path: blobName(digest) }, () => lookAtFile(context.places.blob(digest)))
}

/** As {@link lookAtBlob}, for many blobs of one algorithm. PERF: their directory is checked once. */
export async function lookAtBlobs({ places }: DiskContext, digests: readonly Digest[]): Promise<(Stats | undefined)[]> {
  const [first] = digests
  if (first === undefined) return []
  const directory = dirname(places.blob(first))
  return Promise.all(
    digests.map(digest =>
      onDisk({ act: 'look at', path: blobName(digest) }, () => lookAtFile(join(directory, splitDigest(digest).hex))),
    ),
  )
}

async function lookAtFile(path: string): Promise<Stats | undefined> {
  try {
    const stats = await lstat(path)
    return stats?.isFile() ? stats : undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
