import { decodeName } from '../../internal/name-bytes.ts'
import { checkName, normalizePath } from '../normalize-path.ts'
import type { ScannedHeader, TarEntryType } from '../tar-entry.ts'
import { decimal } from './decimal.ts'
import type { Extensions } from './extensions.ts'
import { type HeaderBlock, invalid, linknameIn, MAX_ID, nameIn } from './header-block.ts'
import type { ReadPaxRecords } from './parse-pax.ts'
import type { PaxSparse } from './sparse/pax-sparse.ts'
import { xattrsOf } from './xattrs.ts'

/** A header block where it stands, what it says, and what stands before it. */
export interface EntryParts {
  readonly block: Buffer
  readonly base: number
  readonly raw: HeaderBlock
  readonly extensions: Extensions
  readonly sparse: PaxSparse | undefined
  /** Bytes of content that follow. */
  readonly stored: number
  /** Where the header stands in the archive. */
  readonly at: number
  readonly maxPathBytes: number
}

/** A header while it is put together. */
export type DraftHeader = { -readonly [K in keyof ScannedHeader]: ScannedHeader[K] }

/** The entries that a layer may hold, by type flag. */
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

/** Puts a header block and its extensions together; PAX wins over the block. */
export function entryHeader(parts: EntryParts): DraftHeader {
  const { raw, extensions, sparse, stored, at, maxPathBytes } = parts
  const { pax } = extensions
  const written = sparse?.name ?? nameOf('path', parts)
  const path = normalizePath(written, 'ERR_INVALID_TAR', `byte ${at}`, maxPathBytes)
  const type = typeOf(raw.flag, written, at)
  if (path === '.' && type !== 'directory') throw invalid('the root is not a directory', at)
  // SAFETY: readers differ in whether content follows such an entry, and lose their place.
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

/** The size that PAX records give to an entry. */
export function paxSize(pax: ReadPaxRecords | undefined, at: number): number | undefined {
  return pax && paxNumber(pax, 'size', Number.MAX_SAFE_INTEGER, at)
}

function typeOf(flag: string, written: string, at: number): TarEntryType {
  const type = TYPES[flag]
  if (flag === 'S') throw invalid('sparse file of the old GNU format, which is not supported', at)
  if (!type) throw invalid(`entry of the unsupported type ${JSON.stringify(flag)}`, at)
  // SPEC: archives from before ustar mark a directory by a slash only; with a flag of ustar the flag counts.
  return flag === '\0' && written.endsWith('/') ? 'directory' : type
}

function nameOf(key: 'path' | 'linkpath', { block, base, extensions, at }: EntryParts): string {
  const record = extensions.pax?.get(key)
  const long = key === 'path' ? extensions.longName : extensions.longLink
  // SAFETY: readers differ in which of the two wins.
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
