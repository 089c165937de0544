import { encodeName } from '../../../internal/name-bytes.ts'

/** The path of a name in a directory; bytes if the name is not text. */
export function childPath(directory: string, name: string): string | Buffer {
  // PERF: nearly every name is text; the test costs less than encoding each.
  if (!/[\ud800-\udfff]/.test(name)) return `${directory}/${name}`
  return Buffer.concat([Buffer.from(`${directory}/`, 'utf8'), encodeName(name)])
}
