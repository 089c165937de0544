import { LimitError } from '../../errors/index.ts'
import { octal, sealHeader } from './ustar-fields.ts'

/** Maximum size of the records of one entry in bytes, for reading and writing. */
export const MAX_PAX_BYTES = 1024 * 1024

/** Records of a PAX header: keys are strings, values are text or bytes. */
export type PaxRecords = ReadonlyMap<string, string | Uint8Array>

/**
 * Creates the blocks of a PAX extended header, which precedes its entry. Records are sorted by key and the extended
 * header's own fields are fixed, so equal records give equal bytes.
 *
 * tar-stream encodes values as UTF-8 text, which destroys binary values; therefore this function exists.
 *
 * @see
 * {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03 | POSIX: pax extended header}
 */
export function paxBlock(records: PaxRecords): Buffer {
  const keys = [...records.keys()].sort()
  const body = Buffer.concat(keys.map(key => paxRecord(key, records.get(key)!)))
  if (body.byteLength > MAX_PAX_BYTES) {
    throw new LimitError('bytes of PAX records', { limit: MAX_PAX_BYTES, actual: body.byteLength })
  }
  const header = Buffer.alloc(512)
  header.write('PaxHeaders/entry', 0, 'latin1')
  octal(header, 0o644, 100, 8)
  octal(header, 0, 108, 8)
  octal(header, 0, 116, 8)
  octal(header, body.byteLength, 124, 12)
  octal(header, 0, 136, 12)
  header.write('x', 156, 'latin1')
  sealHeader(header)
  return Buffer.concat([header, body, Buffer.alloc(-body.byteLength & 511)])
}

/** SPEC: a record is `length key=value\n`; the length includes its own digits. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`),
    typeof value === 'string' ? Buffer.from(value) : value,
    Buffer.from('\n'),
  ])
  let length = rest.byteLength + 1
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength
  return Buffer.concat([Buffer.from(String(length)), rest])
}
