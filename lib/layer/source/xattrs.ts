import { FormatError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import type { TarEntryType } from '../../tar/index.ts'
import { openFailure } from './open-file.ts'
import type { SourceEntry } from './source-entry.ts'

/** The extended attributes of a file (through its handle, if it is open) or directory, as plain data. */
export type XattrLister = (path: string, type: TarEntryType, descriptor?: number) => SourceEntry['xattrs']

/** The part of the optional package `fs-xattr` that is used. */
interface FsXattr {
  listAttributesSync(path: string): string[]
  getAttributeSync(path: string, name: string): Uint8Array
}

/**
 * What lists extended attributes here, by the optional package `fs-xattr`. Node itself cannot.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if it is not installed.
 */
export async function loadXattrLister(packageName = 'fs-xattr'): Promise<XattrLister> {
  let loaded: Partial<FsXattr> & { default?: FsXattr }
  try {
    loaded = (await import(packageName)) as Partial<FsXattr> & { default?: FsXattr }
  } catch (cause) {
    const what = 'reading extended attributes needs the package fs-xattr, or a function of your own'
    throw new FormatError('ERR_INVALID_ARGUMENT', what, { cause })
  }
  const source = (loaded.listAttributesSync ? loaded : loaded.default) as FsXattr
  return (path, type, descriptor) => {
    // The package follows links, and no name that is not UTF-8; of links and devices nothing is read.
    if (type !== 'file' && type !== 'directory') return undefined
    const place = descriptor !== undefined && process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : path
    return listAt(source, place, path)
  }
}

function listAt(source: FsXattr, place: string, path: string): SourceEntry['xattrs'] {
  try {
    const names = source.listAttributesSync(place).filter(isPortableXattr).sort()
    const read = (name: string) => Buffer.from(source.getAttributeSync(place, name)).toString('base64')
    return names.length > 0 ? names.map(name => [name, read(name)] as const) : undefined
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP')) return undefined
    throw openFailure(path, error)
  }
}

/** Whether an attribute means the same on another machine: not the orders of overlayfs, not the labels of a policy. */
export function isPortableXattr(name: string): boolean {
  return !/^(trusted|user)\.overlay\./.test(name) && name !== 'security.selinux' && name !== 'system.nfs4_acl'
}
