import { link, readdir } from 'node:fs/promises'
import { type Digest, isDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { ensureDirectory, exists, linkOnce, removeFile } from '../link-once.ts'
import { blobName, type Places } from '../places/places.ts'
import { syncBlobName } from '../places/synced-places.ts'
import { lstat, rename, unlink } from './calls-at-once.ts'

/** The system frees the space of no larger file within a millisecond. */
const LARGE_BYTES = 4 * 1024 * 1024

/** Where blobs are, and where they stand on their way out. */
export type BlobPlaces = Pick<Places, 'blob' | 'trashed'>

/** What tells a file, as it was at a moment, from every other one and from itself after it was touched. */
export interface FileState {
  readonly ino: number
  readonly mtimeMs: number
  readonly size: number
}

/** Whether a file is still as it was. */
export function isSame(a: FileState, b: FileState): boolean {
  return a.ino === b.ino && a.mtimeMs === b.mtimeMs
}

/** Makes the directory where blobs wait for their end. */
export async function createTrash({ places }: DiskContext): Promise<void> {
  const what = { act: 'create', path: '.layerstore/trash', writes: true }
  await onDisk(what, async () => ensureDirectory(places.trash, 0o700))
}

/** Takes a blob out of sight. Resolves to whether it was there. */
export async function moveToTrash(places: BlobPlaces, digest: Digest): Promise<boolean> {
  try {
    await rename(places.blob(digest), places.trashed(digest))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

/**
 * Ends what {@link moveToTrash} began: the file goes for good if it is as it was before. If it was touched in between or is
 * in its place, somebody relies on it, and it comes back; and so it does without `before`.
 */
export async function emptyTrash(
  context: DiskContext,
  places: BlobPlaces,
  digest: Digest,
  before: FileState | undefined,
): Promise<'removed' | 'changed'> {
  const now = await stateOf(places.trashed(digest))
  // Somebody asked for it, and has brought it back.
  if (!now) return 'changed'
  const same = before !== undefined && isSame(now, before)
  if (!same) await putBack(context, digest)
  if (same && now.size < LARGE_BYTES) await unlink(places.trashed(digest))
  else await removeFile(places.trashed(digest))
  return same && !(await stateOf(places.blob(digest))) ? 'removed' : 'changed'
}

/**
 * Brings back a blob that a collection is about to remove; never creates anything else. Resolves to whether a look at its place
 * is worth while now.
 */
export async function restoreBlob(context: DiskContext, digest: Digest): Promise<boolean> {
  return onDisk({ act: 'restore', path: blobName(digest) }, async () => {
    if (!context.settings.readOnly && (await linkBack(context, digest))) {
      // A name may be about to rely on it.
      await syncBlobName(context, digest)
      return true
    }
    // SAFETY: not in the trash any more does not mean gone: the collection may just have brought it back.
    return exists(context.places.blob(digest))
  })
}

async function linkBack(context: DiskContext, digest: Digest): Promise<boolean> {
  const { places } = context
  try {
    if (!(await isFile(places.trashed(digest)))) return false
    await link(places.trashed(digest), places.blob(digest))
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return true
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EROFS', 'EACCES')) return false
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
    return moveBack(context, digest)
  }
}

/** For file systems without hard links. */
async function moveBack({ places }: DiskContext, digest: Digest): Promise<boolean> {
  try {
    await rename(places.trashed(digest), places.blob(digest))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EPERM')) return false
    throw error
  }
}

/** Brings back everything that a collection left behind which was killed. Only for who holds the lock of collections. */
export async function restoreAll(context: DiskContext): Promise<void> {
  for (const name of await namesIn(context.places.trash)) {
    const digest = name.replace('-', ':')
    if (!isDigest(digest) || !(await isFile(context.places.trashed(digest)))) continue
    await putBack(context, digest)
    await removeFile(context.places.trashed(digest))
  }
}

async function putBack(context: DiskContext, digest: Digest): Promise<void> {
  const { places } = context
  if ((await linkOnce(places.trashed(digest), places.blob(digest))) === 'unsupported') await moveBack(context, digest)
  // Before it leaves the trash, where every look-up finds it.
  await syncBlobName(context, digest)
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** How a file is now, or `undefined` if it is not there. */
export async function stateOf(path: string): Promise<FileState | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** SAFETY: what another program put into the trash must not become a blob: a link would lead out of the store. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path))?.isFile() ?? false
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
