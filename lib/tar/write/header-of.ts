import { FormatError } from '../../errors/index.ts'
import { encodeName } from '../../internal/name-bytes.ts'
import { checkName, normalizePath } from '../normalize-path.ts'
import type { TarEntryType, TarHeader, TarInput } from '../tar-entry.ts'
import { paxBlock } from './pax-block.ts'
import type { PlainHeader } from './ustar-block.ts'

/**
 * Header of an entry, ready to write.
 *
 * @internal
 */
export interface PlannedHeader {
  /** Normalised path, for messages. */
  readonly path: string
  /** Members of the plain ustar block. */
  readonly header: PlainHeader
  /** PAX blocks before it, if a value does not fit into the plain block. */
  readonly pax: Buffer | undefined
}

/** Largest number in a field that tar-stream writes with six digits. */
const SIX_DIGITS = 0o777777
/** Largest time that tar-stream writes: it truncates times to 32 bits. */
const MAX_TIME = 2 ** 31 - 1
/** Largest size in eleven octal digits. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1

/**
 * SAFETY: `chown` takes 2^32-1 as "leave unchanged", so a file would keep the owner of the unpacking process. It is
 * refused.
 */
const MAX_OWNER = 2 ** 32 - 2

const ASCII = /^[\x01-\x7f]*$/

const MODES: Record<TarEntryType, number> = {
  file: 0o644,
  directory: 0o755,
  symlink: 0o777,
  hardlink: 0o644,
  'character-device': 0o644,
  'block-device': 0o644,
  fifo: 0o644,
}

/**
 * Header that is written for an entry: missing members get their fixed values.
 *
 * @internal
 */
export function completeHeader({ content: _, ...input }: TarInput): TarHeader {
  const mode = input.mode ?? MODES[input.type]
  return { uid: 0, gid: 0, size: 0, mtime: 0, ...input, mode }
}

/**
 * Checks an entry and plans its header: a plain block, and PAX records for values that do not fit.
 *
 * @internal
 */
export function headerOf(input: TarInput, size: number): PlannedHeader {
  const path = normalizePath(input.path, 'ERR_INVALID_ARGUMENT')
  if (path === '.' && input.type !== 'directory') refuse(path, 'the root must be a directory')
  const { mode = MODES[input.type], uid = 0, gid = 0, mtime = 0, devMajor = 0, devMinor = 0 } = input
  if (mode === undefined) refuse(path, `unknown type ${JSON.stringify(input.type)}`)
  checkNumber(path, 'mode', mode, 0o7777)
  checkNumber(path, 'uid', uid, MAX_OWNER)
  checkNumber(path, 'gid', gid, MAX_OWNER)
  checkNumber(path, 'devMajor', devMajor, SIX_DIGITS)
  checkNumber(path, 'devMinor', devMinor, SIX_DIGITS)
  if (!(Math.abs(mtime) <= 2 ** 53)) refuse(path, `mtime out of range: ${mtime}`)
  const records = new PaxRecords()
  const seconds = Math.floor(mtime)
  const header = {
    name: nameField(input.type === 'directory' ? `${path}/` : path, records),
    type: input.type === 'hardlink' ? ('link' as const) : input.type,
    // tar-stream takes a mode of 0 as missing; the bit outside its mask prevents that.
    mode: (mode & 0o7777) | 0o100000,
    uid: numberField('uid', uid, SIX_DIGITS, records),
    gid: numberField('gid', gid, SIX_DIGITS, records),
    mtime: dateOf(numberField('mtime', seconds, MAX_TIME, records)),
    size,
    devmajor: devMajor,
    devminor: devMinor,
    linkname: linkField(path, input, records),
  }
  // tar-stream writes a larger size in base 256, a GNU extension; the record gives the same size to POSIX readers.
  if (size > MAX_OCTAL_SIZE) records.set('size', String(size))
  addXattrs(path, input, records)
  return { path, header, pax: records.block() }
}

/** PERF: few entries have records, and a map for each entry would be a third of the cost of planning its header. */
class PaxRecords {
  #records: Map<string, string | Uint8Array> | undefined

  set(key: string, value: string | Uint8Array): void {
    this.#records ??= new Map()
    this.#records.set(key, value)
  }

  block(): Buffer | undefined {
    return this.#records && paxBlock(this.#records)
  }
}

function checkNumber(path: string, name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) refuse(path, `${name} out of range: ${value}`)
}

function numberField(key: string, value: number, max: number, records: PaxRecords): number {
  if (value >= 0 && value <= max) return value
  records.set(key, String(value))
  return 0
}

let lastDate = new Date(0)

/** PERF: all entries of a reproducible layer have one time, and share its object; nothing changes it. */
function dateOf(seconds: number): Date {
  if (lastDate.getTime() !== seconds * 1000) lastDate = new Date(seconds * 1000)
  return lastDate
}

function nameField(name: string, records: PaxRecords): string {
  if (fitsUstar(name)) return name
  records.set('path', encodeName(name))
  return placeholder(name)
}

/** True if tar-stream can split an ASCII name into prefix and name: at a slash, with the shortest possible prefix. */
function fitsUstar(name: string): boolean {
  if (!ASCII.test(name)) return false
  if (name.length <= 100) return true
  const slash = name.indexOf('/', name.length - 101)
  return slash > 0 && slash <= 155 && slash < name.length - 1
}

/** Name in the plain block, for readers without PAX support; PAX readers use the record instead. */
function placeholder(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/gu, '_').slice(0, 99)
  return name.endsWith('/') && !ascii.endsWith('/') ? `${ascii}/` : ascii
}

function linkField(path: string, input: TarInput, records: PaxRecords): string | undefined {
  if (input.type !== 'symlink' && input.type !== 'hardlink') return undefined
  if (input.linkname === undefined) refuse(path, 'a link needs a linkname')
  checkName(input.linkname, 'ERR_INVALID_ARGUMENT')
  const target = input.type === 'hardlink' ? normalizePath(input.linkname, 'ERR_INVALID_ARGUMENT') : input.linkname
  if (target.length <= 100 && ASCII.test(target)) return target
  records.set('linkpath', encodeName(target))
  return placeholder(target)
}

function addXattrs(path: string, input: TarInput, records: PaxRecords): void {
  for (const [name, value] of input.xattrs ?? []) {
    if (!/^[^\0=]+$/.test(name)) refuse(path, `not a name of an extended attribute: ${JSON.stringify(name)}`)
    records.set(`SCHILY.xattr.${name}`, value)
  }
}

function refuse(path: string, why: string): never {
  throw new FormatError('ERR_INVALID_ARGUMENT', `tar entry ${JSON.stringify(path)}: ${why}`)
}
