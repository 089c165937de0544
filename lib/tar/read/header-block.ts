import { FormatError } from '../../errors/index.ts'
import { decodeName } from '../../internal/name-bytes.ts'
import { numericField } from './numeric-field.ts'

/** Bytes of a block; everything in an archive begins at a multiple of it. */
export const BLOCK = 512

/** SAFETY: 2^32-1 as an owner means "leave as it is" to the system, larger ones wrap round to root. */
export const MAX_ID: number = 2 ** 32 - 2

/** What one header block says, but for its names: {@link nameIn}, {@link linknameIn}. */
export interface HeaderBlock {
  /** The type flag as a character. */
  readonly flag: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly devMajor: number
  readonly devMinor: number
}

/** Reads a header block, strictly: a field is octal or base 256, in range, or the archive is refused. */
export function parseHeader(block: Buffer, base: number, offset: number): HeaderBlock {
  checkSum(block, base, offset)
  // SPEC: the block of old archives ends before these; they may hold anything.
  const hasDevices = isUstar(block, base) || isGnu(block, base)
  return {
    flag: String.fromCharCode(block[base + 156]!),
    mode: field(block, base, 'mode', 100, 8, offset) & 0o7777,
    uid: field(block, base, 'uid', 108, 8, offset, MAX_ID),
    gid: field(block, base, 'gid', 116, 8, offset, MAX_ID),
    size: field(block, base, 'size', 124, 12, offset),
    mtime: field(block, base, 'mtime', 136, 12, offset),
    devMajor: hasDevices ? field(block, base, 'devmajor', 329, 8, offset, MAX_DEVICE) : 0,
    devMinor: hasDevices ? field(block, base, 'devminor', 337, 8, offset, MAX_DEVICE) : 0,
  }
}

const MAX_DEVICE = 2 ** 32 - 1

/** The name in a header block, with the prefix in front. */
export function nameIn(block: Buffer, base: number): string {
  const name = text(block, base + 0, 100)
  // SPEC: the prefix belongs to POSIX ustar; GNU keeps times in its place.
  if (block[base + 345] === 0 || !isUstar(block, base)) return name
  // The tar of Schilling has times behind a prefix of 131 bytes, and this mark at the end.
  const isStar = block.toString('latin1', base + 508, base + 512) === 'tar\0'
  return `${text(block, base + 345, isStar ? 131 : 155)}/${name}`
}

/** The target of a link in a header block. */
export function linknameIn(block: Buffer, base: number): string {
  return text(block, base + 157, 100)
}

/** Whether a block has only zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer, base: number): boolean {
  for (let i = base; i < base + BLOCK; i++) if (block[i] !== 0) return false
  return true
}

/** Bytes up to the end of the last block of some content. */
export function padded(size: number): number {
  return size + ((BLOCK - (size % BLOCK)) % BLOCK)
}

/** The error of every fault in an archive, with the byte where it shows. */
export function invalid(message: string, offset: number): FormatError {
  return new FormatError('ERR_INVALID_TAR', message, { at: `byte ${offset}` })
}

function field(
  block: Buffer,
  base: number,
  name: string,
  at: number,
  width: number,
  offset: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const value = numericField(block, base + at, width)
  // Only a time may be negative.
  if (value <= max && (value >= 0 || name === 'mtime')) return value
  throw invalid(`field ${name} of a header is not a number in range`, offset)
}

/** SPEC: bytes are unsigned; programs from before the standard added them with their sign, and are read as well. */
function checkSum(block: Buffer, base: number, offset: number): void {
  const expected = numericField(block, base + 148, 8)
  let sum = 8 * 0x20
  for (let i = base; i < base + 148; i++) sum += block[i]!
  for (let i = base + 156; i < base + BLOCK; i++) sum += block[i]!
  if (sum === expected) return
  for (let i = base; i < base + BLOCK; i++) if (block[i]! & 0x80 && (i < base + 148 || i >= base + 156)) sum -= 256
  if (sum !== expected) throw invalid('no tar header where one should be: its checksum is wrong', offset)
}

function isUstar(block: Buffer, base: number): boolean {
  return block[base + 257] === 0x75 && block.toString('latin1', base + 257, base + 265) === 'ustar\x0000'
}

function isGnu(block: Buffer, base: number): boolean {
  return block[base + 257] === 0x75 && block.toString('latin1', base + 257, base + 265) === 'ustar  \0'
}

function text(block: Buffer, at: number, width: number): string {
  let end = at
  let bits = 0
  while (end < at + width && block[end] !== 0) bits |= block[end++]!
  // PERF: nearly every name is ASCII.
  return bits < 0x80 ? block.toString('latin1', at, end) : decodeName(block.subarray(at, end))
}
