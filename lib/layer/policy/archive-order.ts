import { encodeName } from '../../internal/name-bytes.ts'

const ASCII = /^[\x01-\x7f]*$/

/**
 * Compares paths for the order of an archive: by their bytes, with the slash lowest, so that the content of a directory
 * follows the directory directly.
 *
 * @internal
 */
export function compareArchiveOrder(a: string, b: string): number {
  if (ASCII.test(a) && ASCII.test(b)) return compare(a.replaceAll('/', '\0'), b.replaceAll('/', '\0'))
  return Buffer.compare(sortKey(a), sortKey(b))
}

function sortKey(path: string): Buffer {
  return encodeName(path.replaceAll('/', '\0'))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
