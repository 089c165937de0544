import { closeSync, constants, openSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import type { XattrAccess } from '../../internal/xattr-access.ts'
import { isPortableXattr } from './portable-xattr.ts'

const O_PATH = 0o10000000

/**
 * Reads the extended attributes of a file, directory or device, in the order of their names, without those that are
 * valid on this machine only. Returns none if the file system stores none.
 *
 * SAFETY: another process may replace the file by a link. A handle on the file itself does not follow the link. With a
 * handle, paths that are not UTF-8 work too; the package accepts only text.
 */
export function readXattrs(access: XattrAccess, file: Buffer): ReadonlyMap<string, Uint8Array> {
  const fd = openSync(file, O_PATH | constants.O_NOFOLLOW)
  try {
    return xattrsAt(access, `/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

/** The same for a path, with links followed. */
export function xattrsAt(access: XattrAccess, path: string): ReadonlyMap<string, Uint8Array> {
  const names = listed(access, path).filter(isPortableXattr)
  return new Map(names.sort().map(name => [name, access.get(path, name)]))
}

function listed(access: XattrAccess, path: string): string[] {
  try {
    return [...access.list(path)]
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP')) return []
    throw error
  }
}
