import { FormatError, type FormatErrorCode, LimitError } from '../errors/index.ts'
import { encodeName } from '../internal/name-bytes.ts'

/** Maximum length of a path or link target, in bytes: `PATH_MAX` of Linux. */
export const MAX_PATH_BYTES = 4096

const SLASH = 0x2f
const DOT = 0x2e

/**
 * Normalises the path of an entry: removes a leading `./` or `/`, a trailing `/`, and empty and `.` components. The
 * root becomes `.`.
 *
 * SAFETY: `..` is refused even if it stays inside the root: once links are involved, readers resolve it in different
 * ways.
 *
 * @throws {@link FormatError} with the given code, or {@link LimitError}.
 * @internal
 */
export function normalizePath(
  path: string,
  code: FormatErrorCode,
  at?: string,
  maxBytes: number = MAX_PATH_BYTES,
): string {
  checkName(path, code, at, maxBytes)
  // PERF: nearly every path is normalised already.
  if (isNormal(path)) return path
  const components = path.split('/').filter(component => component !== '' && component !== '.')
  if (components.includes('..')) {
    throw new FormatError(code, `path ${JSON.stringify(path.slice(0, 160))} has a .. in it`, { at })
  }
  return components.length > 0 ? components.join('/') : '.'
}

/**
 * True if a path certainly needs no change: no component begins with a dot. PERF: a regular expression takes ten times
 * as long.
 */
function isNormal(path: string): boolean {
  const first = path.charCodeAt(0)
  if (first === SLASH || first === DOT || path.charCodeAt(path.length - 1) === SLASH) return false
  return !path.includes('//') && !path.includes('/.')
}

/**
 * Refuses invalid names: empty names, names with a NUL, and names over the limit.
 *
 * @internal
 */
export function checkName(name: string, code: FormatErrorCode, at?: string, maxBytes: number = MAX_PATH_BYTES): void {
  if (name === '') throw new FormatError(code, 'entry with an empty name', { at })
  if (name.includes('\0'))
    throw new FormatError(code, `name ${JSON.stringify(name.slice(0, 160))} has a NUL in it`, { at })
  // A UTF-16 unit takes at most three bytes in UTF-8.
  if (name.length * 3 <= maxBytes) return
  const actual = encodeName(name).byteLength
  if (actual > maxBytes) throw new LimitError('bytes of a path', { limit: maxBytes, actual })
}
