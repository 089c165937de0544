import { existsSync } from 'node:fs'
import { link, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Digest, isDigest, splitDigest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { assertDirectory, blobName } from '../layout.ts'
import { exists, linkOnce, removeFile } from '../link-once.ts'
import { lstat, rename, unlink } from './calls-at-once.ts'

/** The system frees the space of no larger file within a millisecond. */
const LARGE_BYTES = 4 * 1024 * 1024

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
  await onDisk(what, () => mkdir(places.trash, { recursive: true, mode: 0o700 }))
  await assertDirectory(places.trash, '.layerstore/trash')
}

/** Takes a blob out of sight. Resolves to whether it was there. */
export async function moveToTrash(context: DiskContext, digest: Digest): Promise<boolean> {
  try {
    await rename(join(context.places.root, blobName(digest)), trashPath(context, digest))
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
  digest: Digest,
  before: FileState | undefined,
): Promise<'removed' | 'changed'> {
  const path = trashPath(context, digest)
  const now = await stateOf(path)
  // Somebody asked for it, and has brought it back.
  if (!now) return 'changed'
  const same = before !== undefined && isSame(now, before)
  if (!same) await putBack(context, digest)
  if (same && now.size < LARGE_BYTES) await unlink(path)
  else await removeFile(path)
  return same && !existsSync(join(context.places.root, blobName(digest))) ? 'removed' : 'changed'
}

/**
 * Brings back a blob that a collection is about to remove; never creates anything else. Resolves to whether a look at its place
 * is worth while now.
 */
export async function restoreBlob(context: DiskContext, digest: Digest): Promise<boolean> {
  const name = blobName(digest)
  const place = join(context.places.root, name)
  return onDisk({ act: 'restore', path: name }, async () => {
    if (!context.settings.readOnly && (await linkBack(context, digest, place))) {
      // A name may be about to rely on it.
      await context.syncs.sync(dirname(place))
      return true
    }
    // SAFETY: not in the trash any more does not mean gone: the collection may just have brought it back.
    return exists(place)
  })
}

async function linkBack(context: DiskContext, digest: Digest, place: string): Promise<boolean> {
  try {
    await link(trashPath(context, digest), place)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return true
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EROFS', 'EACCES')) return false
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
    return moveBack(context, digest)
  }
}

/** For file systems without hard links. */
async function moveBack(context: DiskContext, digest: Digest): Promise<boolean> {
  try {
    await rename(trashPath(context, digest), join(context.places.root, blobName(digest)))
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
    if (!isDigest(digest)) continue
    await putBack(context, digest)
    await removeFile(join(context.places.trash, name))
  }
}

async function putBack(context: DiskContext, digest: Digest): Promise<void> {
  const [from, to] = [trashPath(context, digest), join(context.places.root, blobName(digest))]
  if ((await linkOnce(from, to)) === 'unsupported') await moveBack(context, digest)
  // Before it leaves the trash, where every look-up finds it.
  await context.syncs.sync(dirname(to))
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
    const { ino, mtimeMs, size } = await lstat(path)
    return { ino, mtimeMs, size }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Where a blob stands on its way out. */
export function trashPath(context: DiskContext, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest)
  return join(context.places.trash, `${algorithm}-${hex}`)
}
