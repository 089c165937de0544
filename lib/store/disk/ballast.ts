import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../../internal/errno.ts'

/** Enough for the locks of a collection, its own small files and the index of a few hundred names. */
const BALLAST_BYTES = 16 * 1024
/** A lock takes a file, on some file systems two. */
const BALLAST_FILES = 4
const LITTLE_BYTES = 1024 * 1024
const FEW_FILES = 16

/** Sets some space and some files aside, so that a collection can begin on a full disk. Best effort. */
export async function keepBallast(ballast: string): Promise<void> {
  try {
    await mkdir(ballast)
    // Not zeros: some file systems keep none of those.
    const bytes = Buffer.alloc(BALLAST_BYTES, 'set aside for a collection when the disk is full ')
    for (let i = 0; i < BALLAST_FILES; i++) await writeFile(join(ballast, String(i)), bytes)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) await rm(ballast, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Gives the space back if there is hardly any other. */
export async function dropBallast({ root, ballast }: { root: string; ballast: string }): Promise<void> {
  const free = await statfs(root).catch(() => undefined)
  if (!free) return
  const full = free.blocks > 0 && free.bavail * free.bsize < LITTLE_BYTES
  const crowded = free.files > 0 && free.ffree < FEW_FILES
  // What cannot be removed takes nothing away from the collection that is not missing already.
  if (full || crowded) await rm(ballast, { recursive: true, force: true }).catch(() => undefined)
}
