import { encodeName } from '../../internal/name-bytes.ts'

/** From this code unit on, the order of code units differs from the order of UTF-8 bytes. */
const OTHER_ORDER = /[\ud800-\uffff]/

/** Sorts names by their UTF-8 bytes. */
export function sortNames(names: string[]): string[] {
  // PERF: for nearly all names the order of code units equals that of the bytes, and no encoding is needed.
  if (!names.some(name => OTHER_ORDER.test(name))) return names.sort()
  return names
    .map(name => ({ name, bytes: encodeName(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => name)
}
