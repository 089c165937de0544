import { readNdb } from './read-ndb.ts'
import { readSqliteTable } from './read-sqlite-table.ts'
import { parseRpmHeader } from './rpm.ts'
import type { StatedPackage } from './stated-package.ts'

const BERKELEY_HASH = 0x061561

/** Databases of rpm: sqlite, ndb and Berkeley DB, of which the last is not read. */
export const RPM_DATABASES = ['usr/lib/sysimage/rpm', 'var/lib/rpm'].flatMap(place =>
  ['rpmdb.sqlite', 'Packages.db', 'Packages'].map(file => `${place}/${file}`),
)

/**
 * Parses a database of rpm in the forms sqlite and ndb.
 *
 * @throws Error for other forms and damaged databases, with a message that says so.
 */
export function parseRpmDatabase(bytes: Buffer): StatedPackage[] {
  // Berkeley DB, which rpm wrote until 4.15, has a number after its first 12 bytes.
  if (bytes.length >= 16 && bytes.readUInt32LE(12) === BERKELEY_HASH) throw new Error('Berkeley DB is not read')
  const headers = bytes.toString('latin1', 0, 4) === 'RpmP' ? readNdb(bytes) : readSqliteTable(bytes, 'Packages')
  return headers.flatMap(header => parseRpmHeader(header) ?? [])
}
