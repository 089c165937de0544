import { mkdir, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../internal/errno.ts'
import { removeEmpty, removeFile } from '../internal/link-once.ts'
import type { Places } from './places/places.ts'

/** Enough for the locks of a collection, its small files and the index of a few hundred names. */
const BALLAST_BYTES = 16 * 1024
/** A lock needs one file, on some file systems two. */
const NAMES = ['0', '1', '2', '3']
const LITTLE_BYTES = 1024 * 1024
const FEW_FILES = 16

/** Reserves space and files, so that a collection can start on a full disk. Best effort. */
export async function keepReserve(places: Places): Promise<void> {
  try {
    await mkdir(places.ballast)
    // Not zeros: btrfs and zfs may store compressed zeros without using space.
    const bytes = Buffer.alloc(BALLAST_BYTES, 'set aside for a collection when the disk is full ')
    for (const name of NAMES) await writeFile(join(places.ballast, name), bytes, { flag: 'wx' })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) await removeBallast(places)
  }
}

/** Releases the reserve if the disk has little other space. */
export async function dropReserve(places: Places): Promise<void> {
  const free = await statfs(places.root).catch(() => undefined)
  if (!free) return
  const full = free.blocks > 0 && free.bavail * free.bsize < LITTLE_BYTES
  const crowded = free.files > 0 && free.ffree < FEW_FILES
  if (full || crowded) await removeBallast(places)
}

/** Removes the reserve; a failure only means that the collection gets no extra space. */
async function removeBallast(places: Places): Promise<void> {
  try {
    for (const name of NAMES) await removeFile(join(places.ballast, name))
    await removeEmpty(places.ballast)
  } catch {
    // Best effort.
  }
}
