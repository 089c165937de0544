import { link, readdir } from 'node:fs/promises'
import { type Digest, isDigest } from '../../digest/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory, linkOnce, removeFile } from '../../internal/link-once.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName, type Places } from '../places/places.ts'
import { syncBlobName } from '../places/synced-places.ts'
import { lstat, rename } from './calls-at-once.ts'

/** Paths of a blob in its place and in the trash. */
export type BlobPlaces = Pick<Places, 'blob' | 'trashed'>

/** Identity and times of a file: distinguishes it from every other file, and from itself after it was touched. */
export interface FileState {
  readonly ino: number
  readonly mtimeMs: number
}

/** Whether a file is unchanged. */
export function isSame(a: FileState, b: FileState): boolean {
  return a.ino === b.ino && a.mtimeMs === b.mtimeMs
}

/** Creates the trash directory, where blobs wait for their final removal. */
export async function createTrash({ places }: DiskContext): Promise<void> {
  const what = { act: 'create', path: '.layerstore/trash', writes: true }
  await onDisk(what, async () => ensureDirectory(places.trash, 0o700))
}

/** Moves a blob to the trash. Resolves to whether it existed. */
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
 * Completes what {@link moveToTrash} began: removes the file if it is unchanged since `before`. Restores it if it was
 * touched meanwhile, if the blob exists in its place again, or if `before` is absent: another process relies on it.
 */
export async function emptyTrash(
  context: DiskContext,
  places: BlobPlaces,
  digest: Digest,
  before: FileState | undefined,
): Promise<'removed' | 'changed'> {
  const now = await stateOf(places.trashed(digest))
  // Another process asked for the blob and has restored it.
  if (!now) return 'changed'
  const same = before !== undefined && isSame(now, before)
  if (!same) await putBack(context, digest)
  await removeFile(places.trashed(digest))
  return same && !(await stateOf(places.blob(digest))) ? 'removed' : 'changed'
}

/**
 * Restores a blob that a collection is about to remove; never creates anything else. Resolves to whether the blob may
 * exist in its place now.
 */
export async function restoreBlob(context: DiskContext, digest: Digest): Promise<boolean> {
  return onDisk({ act: 'restore', path: blobName(digest) }, async () => {
    // PERF: a pull asks for each of its blobs five times; most are absent, and most stores have no trash.
    if (!(await context.looks.hasTrash())) return false
    if (!context.settings.readOnly && (await linkBack(context, digest))) {
      // A name that refers to the blob may be set next.
      await syncBlobName(context, digest)
      return true
    }
    // SAFETY: the blob may have left the trash because the collection restored it. Reporting it as gone would fail a
    // caller although the blob exists, so its place is checked.
    return (await stateOf(context.places.blob(digest))) !== undefined
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

/** Restores everything that a killed collection left in the trash. The caller must hold the collection lock. */
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
  // The name is synced before the file leaves the trash, so a look-up finds the blob in one of the two.
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

/** State of a file, or `undefined` if it does not exist. */
export async function stateOf(path: string): Promise<FileState | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/**
 * SAFETY: another program may have put a symbolic link into the trash; restored as a blob, it would lead out of the
 * store. Only regular files are restored.
 */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path))?.isFile() ?? false
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
