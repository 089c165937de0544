import { decodeName } from '../../internal/name-bytes.ts'
import { checkName, normalizePath } from '../normalize-path.ts'
import type { TarEntryType, TarHeader } from '../tar-entry.ts'
import { invalid, MAX_ID, type RawHeader } from './parse-header.ts'

/** Extended headers that stand before an entry. */
export interface Extensions {
  /** PAX records. */
  pax?: Map<string, Buffer>
  /** Body of a GNU long name. */
  longName?: Buffer
  /** Body of a GNU long link name. */
  longLink?: Buffer
}

const XATTR = 'SCHILY.xattr.'

/** Puts a header block and its extensions together; PAX wins over the block. */
export function entryHeader(type: TarEntryType, raw: RawHeader, extensions: Extensions, at: number): TarHeader {
  const pax = extensions.pax ?? new Map<string, Buffer>()
  refuseSparse(pax, at)
  const written = nameOf('path', raw.name, extensions.longName, pax, at)
  const path = normalizePath(written, 'ERR_INVALID_TAR', `byte ${at}`)
  // Archives from before ustar mark a directory by a slash only.
  const actual = type === 'file' && written.endsWith('/') ? 'directory' : type
  if (path === '.' && actual !== 'directory') throw invalid('the root is not a directory', at)
  // SAFETY: readers differ in whether content follows such an entry, and lose their place.
  if (actual !== 'file' && raw.size > 0) throw invalid(`${actual} with content`, at)
  const isDevice = actual === 'character-device' || actual === 'block-device'
  const isLink = actual === 'symlink' || actual === 'hardlink'
  const xattrs = xattrsOf(pax)
  return {
    path,
    type: actual,
    mode: raw.mode,
    uid: paxNumber(pax, 'uid', MAX_ID, at) ?? raw.uid,
    gid: paxNumber(pax, 'gid', MAX_ID, at) ?? raw.gid,
    size: raw.size,
    mtime: paxTime(pax, at) ?? raw.mtime,
    ...(isLink ? { linkname: linkOf(actual, nameOf('linkpath', raw.linkname, extensions.longLink, pax, at), at) } : {}),
    ...(isDevice ? { devMajor: raw.devMajor, devMinor: raw.devMinor } : {}),
    ...(xattrs.size > 0 ? { xattrs } : {}),
  }
}

/** The size that PAX records give to an entry. */
export function paxSize(pax: Map<string, Buffer> | undefined, at: number): number | undefined {
  return pax && paxNumber(pax, 'size', Number.MAX_SAFE_INTEGER, at)
}

function refuseSparse(pax: Map<string, Buffer>, at: number): void {
  for (const key of pax.keys()) {
    // SAFETY: the content of such an entry is a map of holes and data; taken as it stands, the file would be wrong.
    if (key.startsWith('GNU.sparse.')) throw invalid('sparse entries are not supported', at)
  }
}

function nameOf(
  key: 'path' | 'linkpath',
  plain: Buffer,
  long: Buffer | undefined,
  pax: Map<string, Buffer>,
  at: number,
): string {
  const record = pax.get(key)
  // SAFETY: readers differ in which of the two wins.
  if (record && long) throw invalid(`${key} both as a PAX record and as a GNU long name`, at)
  if (record && record.byteLength > 0) return decodeName(record)
  const end = long?.indexOf(0) ?? -1
  return decodeName(long ? long.subarray(0, end < 0 ? long.byteLength : end) : plain)
}

function linkOf(type: TarEntryType, target: string, at: number): string {
  const where = `byte ${at}`
  if (type === 'hardlink') return normalizePath(target, 'ERR_INVALID_TAR', where)
  checkName(target, 'ERR_INVALID_TAR', where)
  return target
}

function paxNumber(pax: Map<string, Buffer>, key: string, max: number, at: number): number | undefined {
  const record = pax.get(key)
  if (!record || record.byteLength === 0) return undefined
  const value = /^[0-9]{1,16}$/.test(record.toString('latin1')) ? Number(record.toString('latin1')) : Number.NaN
  if (!(value <= max)) throw invalid(`PAX record ${key} is not a number in range`, at)
  return value
}

function paxTime(pax: Map<string, Buffer>, at: number): number | undefined {
  const record = pax.get('mtime')?.toString('latin1')
  if (!record) return undefined
  if (!/^-?[0-9]{1,15}(\.[0-9]{0,30})?$/.test(record)) throw invalid('PAX record mtime is not a time', at)
  return Number(record)
}

function xattrsOf(pax: Map<string, Buffer>): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>()
  for (const [key, value] of pax) {
    if (key.startsWith(XATTR) && key.length > XATTR.length) xattrs.set(key.slice(XATTR.length), value)
  }
  return xattrs
}
