import type { Stats } from 'node:fs'
import type { Digest } from '../../digest/index.ts'
import type { BlobInfo } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { restoreBlob } from './trash.ts'

/** Resolves to the size of a blob, or `undefined`. */
export async function statBlobFile(context: DiskContext, digest: Digest): Promise<BlobInfo | undefined> {
  const stats = (await context.looks.look(digest)) ?? (await lookAgain(context, digest))
  return stats && { digest, size: stats.size }
}

/** Restores the blob if a collection is just removing it: a caller asks for it. */
async function lookAgain(context: DiskContext, digest: Digest): Promise<Stats | undefined> {
  return (await restoreBlob(context, digest)) ? context.looks.look(digest) : undefined
}
