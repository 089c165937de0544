import { LimitError, RootfsError } from '../../../errors/index.ts'
import { encodeName } from '../../../internal/name-bytes.ts'

/** Maximum length of an entry's path in bytes: PATH_MAX of Linux. */
export const MAX_TARGET_PATH_BYTES = 4096
/** Maximum length of a name in bytes: NAME_MAX of Linux. */
export const MAX_NAME_BYTES = 255

/** Names that Windows reserves for devices. */
const WINDOWS_RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i
const WINDOWS_IMPOSSIBLE = /[\\:*?"<>|\u0001-\u001f]|[. ]$/

/**
 * Splits an entry's path into components; an empty list for the root itself.
 *
 * @throws {@link RootfsError} `ERR_UNSAFE_PATH` for every `..`, even if it would stay inside the root: no known tool
 * writes such archives, and readers interpret them differently.
 * @throws {@link LimitError} for paths and names longer than Linux allows.
 */
export function splitPath(path: string, windowsNames: boolean): string[] {
  if (path.length * 3 > MAX_TARGET_PATH_BYTES) limit('path bytes', MAX_TARGET_PATH_BYTES, path)
  const components = path.split('/').filter(part => part !== '' && part !== '.')
  for (const part of components) {
    if (part === '..') throw new RootfsError('ERR_UNSAFE_PATH', 'a path must not hold ".."', { path })
    if (part.includes('\0')) throw new RootfsError('ERR_UNSAFE_PATH', 'a path must not hold NUL', { path })
    checkNameLength(part)
    if (windowsNames && (WINDOWS_RESERVED.test(part) || WINDOWS_IMPOSSIBLE.test(part))) {
      throw new RootfsError('ERR_UNSAFE_PATH', 'a name that Windows reads differently', { path })
    }
  }
  return components
}

/**
 * Rejects a name that is too long for a directory. For a whiteout, the hidden name is checked, not its own longer name.
 *
 * @throws {@link LimitError}
 */
export function checkNameLength(name: string): void {
  if (name.length * 3 > MAX_NAME_BYTES) limit('name bytes', MAX_NAME_BYTES, name)
}

function limit(what: string, most: number, text: string): void {
  const actual = encodeName(text).byteLength
  if (actual > most) throw new LimitError(what, { limit: most, actual, where: 'layer' })
}
