import { statfs } from 'node:fs/promises'
import { StoreError } from '../errors/index.ts'
import type { DiskContext } from './disk-context.ts'

/** PERF: `statfs` costs as much as writing a small blob, so smaller blobs are not checked. */
const WORTH_ASKING = 1024 * 1024

/**
 * Refuses a blob that cannot fit on the disk. A pass promises nothing: other processes write to the same file system.
 *
 * @throws {@link StoreError} `ERR_STORE_IO` with errno `ENOSPC`.
 */
export async function assertRoom({ places }: DiskContext, bytes: number): Promise<void> {
  if (bytes < WORTH_ASKING) return
  // A file system without `statfs` reports ENOSPC at the write.
  const stats = await statfs(places.root).catch(() => undefined)
  if (!stats || stats.blocks === 0) return
  const free = stats.bsize * (process.geteuid?.() === 0 ? stats.bfree : stats.bavail)
  if (bytes <= free) return
  throw new StoreError('ERR_STORE_IO', `no room for a blob: ${bytes} bytes are needed, ${free} are free (ENOSPC)`, {
    errno: 'ENOSPC',
  })
}
