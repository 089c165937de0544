import { decodeName } from '../../internal/name-bytes.ts'
import { invalid } from './parse-header.ts'

/**
 * Reads the records of a PAX header, strictly: each is `length key=value\n`, all of them fill the body, of equal keys the
 * last holds. Values are copies.
 *
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03 | POSIX: pax extended header}
 */
export function parsePax(body: Buffer, offset: number): Map<string, Buffer> {
  const records = new Map<string, Buffer>()
  for (let at = 0; at < body.byteLength; ) {
    const space = body.indexOf(0x20, at)
    const digits = body.toString('latin1', at, space < 0 || space - at > 8 ? at + 8 : space)
    const end = at + Number(digits)
    // SAFETY: lengths of zero, with a sign, in hex or past the end have made other readers loop or lose their place.
    if (space < 0 || !/^[1-9][0-9]*$/.test(digits) || end > body.byteLength || end <= space || body[end - 1] !== 0x0a) {
      throw invalid('PAX record of a wrong length', offset + at)
    }
    const equals = body.indexOf(0x3d, space + 1)
    if (equals <= space + 1 || equals >= end) throw invalid('PAX record without a key', offset + at)
    records.set(decodeName(body.subarray(space + 1, equals)), Buffer.from(body.subarray(equals + 1, end - 1)))
    at = end
  }
  return records
}
