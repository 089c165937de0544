import { decodeName } from '../../internal/name-bytes.ts'
import { invalid } from './header-block.ts'

/** Records of a PAX header by key; values are bytes of the header's body. */
export type ReadPaxRecords = ReadonlyMap<string, Buffer>

/** Numbers of a sparse map in records of their own: more of them than a map may have regions. */
const MAX_PAIRS = 2 * 10_000 + 2
/** Digits of the length of a record, zeros in front included. */
const MAX_DIGITS = 20

/**
 * Reads the records of a PAX header, strictly: each is `length key=value\n`, all of them fill the body, of equal keys the
 * last holds. The one thing told by repetition, the map of sparse files of version 0.0, becomes the list of version 0.1.
 *
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03 | POSIX: pax extended header}
 */
export function parsePax(body: Buffer, offset: number): ReadPaxRecords {
  const records = new Map<string, Buffer>()
  const pairs: string[] = []
  for (let at = 0; at < body.byteLength; ) {
    const space = body.indexOf(0x20, at)
    const end = at + recordLength(body, at, space)
    // SAFETY: lengths of zero, with a sign, in hex or past the end have made other readers loop or lose their place.
    if (!(end <= body.byteLength && end > space) || body[end - 1] !== 0x0a) {
      throw invalid('PAX record of a wrong length', offset + at)
    }
    // SAFETY: GNU tar skips blanks in front of a key, others take them for part of it.
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

/** Decimal digits; `NaN` for anything else. Zeros in front mean nothing: GNU tar, bsdtar, Go and python read them. */
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

/** SAFETY: readers written in C take such a name for a shorter one. */
function hasNul(key: string, value: Buffer): boolean {
  return key.includes('\0') || (value.includes(0) && /^(path|linkpath|uname|gname|GNU\.sparse\.name)$/.test(key))
}

function addToPairs(pairs: string[], key: string, value: Buffer, at: number): void {
  const expected = pairs.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes'
  if (key !== expected || pairs.length >= MAX_PAIRS || value.includes(0x2c))
    throw invalid('sparse map out of order', at)
  pairs.push(value.toString('latin1'))
}
