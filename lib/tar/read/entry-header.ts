import { decodeName } from '../../internal/name-bytes.ts'
import { checkName, normalizePath } from '../normalize-path.ts'
import type { ScannedHeader, TarEntryType } from '../tar-entry.ts'
import { decimal } from './decimal.ts'
import type { Extensions } from './extensions.ts'
import { type HeaderBlock, invalid, linknameIn, MAX_ID, nameIn } from './header-block.ts'
import type { ReadPaxRecords } from './parse-pax.ts'
import type { PaxSparse } from './sparse/pax-sparse.ts'
import { xattrsOf } from './xattrs.ts'

/** A header block with its position, its parsed fields and the extended headers before it. */
export interface EntryParts {
  readonly block: Buffer
  readonly base: number
  readonly raw: HeaderBlock
  readonly extensions: Extensions
  readonly sparse: PaxSparse | undefined
  /** Number of content bytes that follow the header. */
  readonly stored: number
  /** Offset of the header in the archive, in bytes. */
  readonly at: number
  readonly maxPathBytes: number
}

/** A header under construction. */
export type DraftHeader = { -readonly [K in keyof ScannedHeader]: ScannedHeader[K] }

/** Supported entry types by type flag. */
const TYPES: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
}

/** Combines a header block and its extensions; PAX records override the block. */
export function entryHeader(parts: EntryParts): DraftHeader {
  const { raw, extensions, sparse, stored, at, maxPathBytes } = parts
  const { pax } = extensions
  const written = sparse?.name ?? nameOf('path', parts)
  const path = normalizePath(written, 'ERR_INVALID_TAR', `byte ${at}`, maxPathBytes)
  const type = typeOf(raw.flag, written, at)
  if (path === '.' && type !== 'directory') throw invalid('the root is not a directory', at)
  // SAFETY: if a directory or link declares a size, some readers expect content after it and others do not, so they
  // would read different entries from there on. Such an entry is refused.
  if (type !== 'file' && (stored > 0 || sparse)) throw invalid(`${type} with content`, at)
  const header: DraftHeader = {
    path,
    type,
    mode: raw.mode,
    uid: (pax && paxNumber(pax, 'uid', MAX_ID, at)) ?? raw.uid,
    gid: (pax && paxNumber(pax, 'gid', MAX_ID, at)) ?? raw.gid,
    size: sparse?.size ?? stored,
    mtime: (pax && paxTime(pax, at)) ?? raw.mtime,
    offset: 0,
  }
  if (type === 'symlink' || type === 'hardlink') header.linkname = linkOf(type, parts)
  if (type === 'character-device' || type === 'block-device') {
    header.devMajor = raw.devMajor
    header.devMinor = raw.devMinor
  }
  const xattrs = pax && xattrsOf(pax, at)
  if (xattrs) header.xattrs = xattrs
  return header
}

/** Size that PAX records give to an entry. */
export function paxSize(pax: ReadPaxRecords | undefined, at: number): number | undefined {
  return pax && paxNumber(pax, 'size', Number.MAX_SAFE_INTEGER, at)
}

function typeOf(flag: string, written: string, at: number): TarEntryType {
  const type = TYPES[flag]
  if (flag === 'S') throw invalid('sparse file of the old GNU format, which is not supported', at)
  if (!type) throw invalid(`entry of the unsupported type ${JSON.stringify(flag)}`, at)
  // SPEC: archives older than ustar mark a directory by a trailing slash only; a type flag of ustar takes precedence.
  return flag === '\0' && written.endsWith('/') ? 'directory' : type
}

function nameOf(key: 'path' | 'linkpath', { block, base, extensions, at }: EntryParts): string {
  const record = extensions.pax?.get(key)
  const long = key === 'path' ? extensions.longName : extensions.longLink
  // SAFETY: readers differ in which of the two names they use, so they would see different paths. Both together are
  // refused.
  if (record && long) throw invalid(`${key} both as a PAX record and as a GNU long name`, at)
  if (record && record.byteLength > 0) return decodeName(record)
  if (!long) return key === 'path' ? nameIn(block, base) : linknameIn(block, base)
  const end = long.indexOf(0)
  return decodeName(end < 0 ? long : long.subarray(0, end))
}

function linkOf(type: TarEntryType, parts: EntryParts): string {
  const where = `byte ${parts.at}`
  const target = nameOf('linkpath', parts)
  if (type === 'hardlink') return normalizePath(target, 'ERR_INVALID_TAR', where, parts.maxPathBytes)
  checkName(target, 'ERR_INVALID_TAR', where, parts.maxPathBytes)
  return target
}

function paxNumber(pax: ReadPaxRecords, key: string, max: number, at: number): number | undefined {
  const record = pax.get(key)
  if (!record || record.byteLength === 0) return undefined
  const value = decimal(record.toString('latin1'))
  if (!(value <= max)) throw invalid(`PAX record ${key} is not a number in range`, at)
  return value
}

function paxTime(pax: ReadPaxRecords, at: number): number | undefined {
  const record = pax.get('mtime')?.toString('latin1')
  if (!record) return undefined
  if (!/^-?0*[0-9]{1,15}(\.[0-9]{0,30})?$/.test(record)) throw invalid('PAX record mtime is not a time', at)
  return Number(record)
}
