import { decodeName } from '../../internal/name-bytes.ts'
import { invalid } from './header-block.ts'

/** PAX records by key; values are views of the header's body. */
export type ReadPaxRecords = ReadonlyMap<string, Buffer>

/** Maximum number of sparse map numbers in separate records: slightly more than a map of the maximum size has. */
const MAX_PAIRS = 2 * 10_000 + 2
/** Maximum number of digits in the length of a record, leading zeros included. */
const MAX_DIGITS = 20

/**
 * Parses the records of a PAX header strictly: each record is `length key=value\n`, the records fill the body, and the
 * last of equal keys wins. Sparse files of version 0.0 repeat a key for each region; these records become the list of
 * version 0.1.
 *
 * @see
 * {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03 | POSIX: pax extended header}
 */
export function parsePax(body: Buffer, offset: number): ReadPaxRecords {
  const records = new Map<string, Buffer>()
  const pairs: string[] = []
  for (let at = 0; at < body.byteLength; ) {
    const space = body.indexOf(0x20, at)
    const end = at + recordLength(body, at, space)
    // SAFETY: a length that is zero, signed, hexadecimal or past the end has made other readers loop forever or
    // continue at a wrong offset. Such a record is refused.
    if (!(end <= body.byteLength && end > space) || body[end - 1] !== 0x0a) {
      throw invalid('PAX record of a wrong length', offset + at)
    }
    // SAFETY: GNU tar skips blanks before a key, and other readers take them as part of the key, so they would apply
    // different records. Such a record is refused.
    if (body[space + 1] === 0x20 || body[space + 1] === 0x09) throw invalid('PAX record with a blank key', offset + at)
    const equals = body.indexOf(0x3d, space + 1)
    if (equals <= space + 1 || equals >= end) throw invalid('PAX record without a key', offset + at)
    const key = decodeName(body.subarray(space + 1, equals))
    const value = body.subarray(equals + 1, end - 1)
    if (hasNul(key, value)) throw invalid('PAX record with a NUL in a name', offset + at)
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') addToPairs(pairs, key, value, offset + at)
    else records.set(key, value)
    at = end
  }
  if (pairs.length === 0) return records
  if (records.has('GNU.sparse.map')) throw invalid('two sparse maps for one entry', offset)
  return records.set('GNU.sparse.map', Buffer.from(pairs.join(','), 'latin1'))
}

/** Parses decimal digits; `NaN` for other text. Leading zeros are allowed, as in GNU tar, bsdtar, Go and Python. */
function recordLength(body: Buffer, at: number, space: number): number {
  if (space <= at || space - at > MAX_DIGITS) return Number.NaN
  let length = 0
  for (let i = at; i < space; i++) {
    const digit = body[i]! - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    length = length * 10 + digit
  }
  return length
}

/** SAFETY: readers written in C cut a name at a NUL, so they would see another path. Such a record is refused. */
function hasNul(key: string, value: Buffer): boolean {
  return key.includes('\0') || (value.includes(0) && /^(path|linkpath|uname|gname|GNU\.sparse\.name)$/.test(key))
}

function addToPairs(pairs: string[], key: string, value: Buffer, at: number): void {
  const expected = pairs.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes'
  if (key !== expected || pairs.length >= MAX_PAIRS || value.includes(0x2c))
    throw invalid('sparse map out of order', at)
  pairs.push(value.toString('latin1'))
}
