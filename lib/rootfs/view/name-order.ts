import { encodeName } from '../../internal/name-bytes.ts'

/** Code units from here on are in another order than their bytes. */
const OTHER_ORDER = /[\ud800-\uffff]/

/** Names in the order of their bytes. */
export function sortNames(names: string[]): string[] {
  // PERF: nearly no name needs its bytes to be compared; the order of code units is then the same.
  if (!names.some(name => OTHER_ORDER.test(name))) return names.sort()
  return names
    .map(name => ({ name, bytes: encodeName(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => name)
}
