import { encodeName } from '../../../internal/name-bytes.ts'

/** Path of a name in a directory; a Buffer if the name is not valid UTF-8. */
export function childPath(directory: string, name: string): string | Buffer {
  // PERF: nearly every name is valid text; this test costs less than encoding each name.
  if (!/[\ud800-\udfff]/.test(name)) return `${directory}/${name}`
  return Buffer.concat([Buffer.from(`${directory}/`, 'utf8'), encodeName(name)])
}
