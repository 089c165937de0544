const MAGIC = 'SQLite format 3\0'
const FILE_HEADER = 100
const INTERIOR = 5
const LEAF = 13
/** SPEC: no sqlite accepts more columns (limits.html, 2). */
const MOST_COLUMNS = 32_767
/** Least number of bytes that a row is charged with: an object in memory is larger than a row of a few bytes. */
const LEAST_OF_ROW = 32

/** A sqlite file, and the pages of it that were read. */
interface SqliteFile {
  readonly bytes: Buffer
  readonly pageSize: number
  /** Bytes of a page that hold data. */
  readonly usable: number
  /** SAFETY: a damaged tree may have a loop, in which reading would not end: no page is read twice. */
  readonly seen: Set<number>
  /** SAFETY: bytes that further rows may have. Cells that share their bytes would have more than the file has. */
  left: number
}

/**
 * Reads the last column of each row of a sqlite table that holds bytes there: rpm keeps its headers so. Reads nothing
 * but the tree of the table: no index, no journal.
 *
 * @throws Error if the file is damaged or has no such table.
 * @see {@link https://www.sqlite.org/fileformat2.html | SQLite: database file format}
 */
export function readSqliteTable(bytes: Buffer, table: string): Buffer[] {
  if (bytes.length < FILE_HEADER || bytes.toString('latin1', 0, 16) !== MAGIC) throw new Error('not a sqlite database')
  const size = bytes.readUInt16BE(16)
  const pageSize = size === 1 ? 65536 : size
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) throw new Error('broken header of the sqlite database')
  const file: SqliteFile = { bytes, pageSize, usable: pageSize - bytes[20]!, seen: new Set(), left: bytes.length }
  // SPEC: 2.6: the schema table is on page 1: type, name, tbl_name, rootpage, sql.
  for (const row of rows(file, 1)) {
    const [type, name, , root] = columns(row)
    if (String(type) === 'table' && String(name) === table) return [...rows(file, integer(root))].flatMap(lastBytes)
  }
  throw new Error(`the sqlite database has no table ${table}`)
}

function lastBytes(row: Buffer): Buffer[] {
  const last = columns(row).at(-1)
  return last ? [last] : []
}

/** Payloads of a table's rows, in the order of the tree. */
function* rows(file: SqliteFile, root: number): Generator<Buffer> {
  const pages = [root]
  for (let number = pages.pop(); number !== undefined; number = pages.pop()) {
    const page = pageOf(file, number)
    const head = number === 1 ? FILE_HEADER : 0
    const [kind, cells] = [page[head], page.readUInt16BE(head + 3)]
    if (kind !== INTERIOR && kind !== LEAF) throw new Error(`page ${number} of the sqlite database is no table`)
    const pointers = head + (kind === INTERIOR ? 12 : 8)
    if (pointers + cells * 2 > page.length) throw new Error(`broken page ${number} of the sqlite database`)
    const offsets = Array.from({ length: cells }, (_, i) => page.readUInt16BE(pointers + i * 2))
    if (kind === LEAF) for (const at of offsets) yield payload(file, page, at)
    else pages.push(page.readUInt32BE(head + 8), ...offsets.map(at => within(page, at, 4).readUInt32BE(0)).reverse())
    if (pages.length > file.bytes.length / file.pageSize) throw new Error('pages of the sqlite database overlap')
  }
}

function pageOf({ bytes, pageSize, seen }: SqliteFile, number: number): Buffer {
  const start = (number - 1) * pageSize
  if (number < 1 || start + pageSize > bytes.length || seen.has(number)) {
    throw new Error(`broken page ${number} of the sqlite database`)
  }
  seen.add(number)
  return bytes.subarray(start, start + pageSize)
}

/** Payload of a cell of a leaf, with its overflow pages. */
function payload(file: SqliteFile, page: Buffer, cell: number): Buffer {
  const size = varint(page, cell)
  const key = varint(page, size.end)
  const { usable } = file
  const most = usable - 35
  file.left -= Math.max(size.value, LEAST_OF_ROW)
  if (file.left < 0) throw new Error('broken row of the sqlite database')
  if (size.value <= most) return within(page, key.end, size.value)
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const share = least + ((size.value - least) % (usable - 4))
  const local = share <= most ? share : least
  const parts = [within(page, key.end, local)]
  let [left, next] = [size.value - local, within(page, key.end + local, 4).readUInt32BE(0)]
  while (left > 0) {
    const overflow = pageOf(file, next)
    parts.push(overflow.subarray(4, 4 + Math.min(left, usable - 4)))
    left -= usable - 4
    next = overflow.readUInt32BE(0)
  }
  return Buffer.concat(parts)
}

/** Columns of a row, as their bytes; `undefined` for numbers that are in the type, and for NULL. */
function columns(row: Buffer): (Buffer | undefined)[] {
  const head = varint(row, 0)
  const values: (Buffer | undefined)[] = []
  let [at, start] = [head.end, head.value]
  while (at < head.value) {
    if (values.length === MOST_COLUMNS) throw new Error('broken row of the sqlite database')
    const type = varint(row, at)
    const size = sizeOf(type.value)
    values.push(size > 0 ? within(row, start, size) : undefined)
    ;[at, start] = [type.end, start + size]
  }
  return values
}

/** SPEC: 2.1: bytes of a value of a serial type. */
function sizeOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2)
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type]!
}

/** Number of a column; the numbers 0 and 1 have no bytes, and are no roots. */
function integer(value: Buffer | undefined): number {
  return value && value.length <= 6 ? value.readUIntBE(0, value.length) : 0
}

function within(bytes: Buffer, at: number, size: number): Buffer {
  if (at + size > bytes.length) throw new Error('broken row of the sqlite database')
  return bytes.subarray(at, at + size)
}

/** SPEC: 1.6: up to 9 bytes, the most significant first. */
function varint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new Error('broken row of the sqlite database')
    if (i === 8) return { value: value * 256 + byte, end: at + 9 }
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return { value, end: at + i + 1 }
  }
  throw new Error('unreachable')
}
