import { closeSync, constants, openSync } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import type { XattrAccess } from '../../internal/xattr-access.ts'
import { refusedXattr } from '../refused-xattr.ts'

const O_PATH = 0o10000000

/**
 * The extended attributes of a file, directory or device, those left out that belong to this machine; in the order of
 * their names. None where the file system keeps none.
 *
 * SAFETY: through a handle on the thing itself, so that a link that took its place is not followed. The handle also
 * makes up for names that are not text, which the package cannot take.
 */
export function readXattrs(access: XattrAccess, file: Buffer): ReadonlyMap<string, Uint8Array> {
  const fd = openSync(file, O_PATH | constants.O_NOFOLLOW)
  try {
    return xattrsAt(access, `/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

/** The same of what a path leads to, links followed. */
export function xattrsAt(access: XattrAccess, path: string): ReadonlyMap<string, Uint8Array> {
  const names = listed(access, path).filter(isPortableXattr)
  return new Map(names.sort().map(name => [name, access.get(path, name)]))
}

/** Whether an attribute means the same on another machine: not the orders of overlayfs, not the labels of a policy. */
export function isPortableXattr(name: string): boolean {
  return refusedXattr(name) === undefined && name !== 'system.nfs4_acl'
}

function listed(access: XattrAccess, path: string): string[] {
  try {
    return [...access.list(path)]
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP')) return []
    throw error
  }
}
