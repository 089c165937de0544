import { FormatError } from '../../errors/index.ts'
import { encodeName } from '../../internal/name-bytes.ts'
import { findXattrPackage, loadXattrAccess } from '../../internal/xattr-access.ts'
import type { TarEntryType } from '../../tar/index.ts'
import { openFailure } from './open-file.ts'
import { readXattrs, xattrsAt } from './read-xattrs.ts'
import type { SourceEntry } from './source-entry.ts'

/**
 * Lists the extended attributes of a file (by its handle, if it is open) or directory, as plain data.
 *
 * @internal
 */
export type XattrLister = (path: string, type: TarEntryType, descriptor?: number) => SourceEntry['xattrs']

/**
 * Loads the function that lists extended attributes, from the optional package `fs-xattr`. Node itself has none.
 *
 * @param file - File of the package.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if the package is not installed.
 * @internal
 */
export async function loadXattrLister(file: string | undefined = findXattrPackage()): Promise<XattrLister> {
  const access = await loadXattrAccess(file)
  if (!access) {
    const what = 'reading extended attributes needs the package fs-xattr, or a function of your own'
    throw new FormatError('ERR_INVALID_ARGUMENT', what)
  }
  const hasHandles = process.platform === 'linux'
  return (path, type, descriptor) => {
    if (type !== 'file' && type !== 'directory') return undefined
    try {
      if (!hasHandles) return packed(xattrsAt(access, path))
      return packed(
        descriptor === undefined
          ? readXattrs(access, encodeName(path))
          : xattrsAt(access, `/proc/self/fd/${descriptor}`),
      )
    } catch (error) {
      throw openFailure(path, error)
    }
  }
}

function packed(xattrs: ReadonlyMap<string, Uint8Array>): SourceEntry['xattrs'] {
  const pairs = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')] as const)
  return pairs.length > 0 ? pairs : undefined
}
