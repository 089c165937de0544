import { FormatError, type FormatErrorCode, LimitError } from '../errors/index.ts'
import { encodeName } from '../internal/name-bytes.ts'

/** Bytes that a path or the target of a link may have; what Linux takes. */
export const MAX_PATH_BYTES = 4096

const SLASH = 0x2f
const DOT = 0x2e

/**
 * The form in which an entry's path is kept: without `./` or `/` in front, `/` at the end, or empty and `.` components;
 * `.` for the root.
 *
 * SAFETY: `..` is refused even where it would stay inside: readers resolve it in different ways once links are involved.
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
  // PERF: nearly every path is in its form already.
  if (isNormal(path)) return path
  const components = path.split('/').filter(component => component !== '' && component !== '.')
  if (components.includes('..')) {
    throw new FormatError(code, `path ${JSON.stringify(path.slice(0, 160))} has a .. in it`, { at })
  }
  return components.length > 0 ? components.join('/') : '.'
}

/** Nothing to remove, for certain: no dot at the beginning of a component. PERF: a regular expression takes ten times as long. */
function isNormal(path: string): boolean {
  const first = path.charCodeAt(0)
  if (first === SLASH || first === DOT || path.charCodeAt(path.length - 1) === SLASH) return false
  return !path.includes('//') && !path.includes('/.')
}

/**
 * Refuses names that cannot be: empty, with a NUL, or too long.
 *
 * @internal
 */
export function checkName(name: string, code: FormatErrorCode, at?: string, maxBytes: number = MAX_PATH_BYTES): void {
  if (name === '') throw new FormatError(code, 'entry with an empty name', { at })
  if (name.includes('\0'))
    throw new FormatError(code, `name ${JSON.stringify(name.slice(0, 160))} has a NUL in it`, { at })
  // A character takes at most three bytes for each of its UTF-16 units.
  if (name.length * 3 <= maxBytes) return
  const actual = encodeName(name).byteLength
  if (actual > maxBytes) throw new LimitError('bytes of a path', { limit: maxBytes, actual })
}
