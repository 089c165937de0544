import { chmod, chown, stat, utimes } from 'node:fs/promises'

/**
 * Gives a directory mode, owner and times of another one. The root of an overlay is its upper directory, so that has to
 * look like the root of the layers below.
 */
export async function copyRoot(from: string, to: string): Promise<void> {
  const { mode, uid, gid, atime, mtime } = await stat(from)
  await chown(to, uid, gid)
  await chmod(to, mode & 0o7777)
  await utimes(to, atime, mtime)
}
