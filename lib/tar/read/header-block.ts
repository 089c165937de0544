import { FormatError } from '../../errors/index.ts'
import { decodeName } from '../../internal/name-bytes.ts'
import { numericField } from './numeric-field.ts'

/** Size of a block, in bytes. Every header and content starts at a multiple of it. */
export const BLOCK = 512

/**
 * SAFETY: `chown` takes an owner of 2^32-1 as "leave unchanged", and larger numbers wrap around, possibly to root.
 * Owners over this maximum are refused.
 */
export const MAX_ID: number = 2 ** 32 - 2

/** Parsed fields of one header block, without its names: see {@link nameIn}, {@link linknameIn}. */
export interface HeaderBlock {
  /** Type flag, one character. */
  readonly flag: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly devMajor: number
  readonly devMinor: number
}

/** Parses a header block strictly: each number must be octal or base 256, and in range. */
export function parseHeader(block: Buffer, base: number, offset: number): HeaderBlock {
  checkSum(block, base, offset)
  // SPEC: blocks older than ustar have no device fields; these bytes may contain anything.
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

/** Name in a header block, with its prefix. */
export function nameIn(block: Buffer, base: number): string {
  const name = text(block, base + 0, 100)
  // SPEC: only POSIX ustar has a prefix; GNU tar stores times in these bytes.
  if (block[base + 345] === 0 || !isUstar(block, base)) return name
  // star (Schilling's tar) has a prefix of 131 bytes followed by times, and this magic at the end of the block.
  const isStar = block.toString('latin1', base + 508, base + 512) === 'tar\0'
  return `${text(block, base + 345, isStar ? 131 : 155)}/${name}`
}

/** Link target in a header block. */
export function linknameIn(block: Buffer, base: number): string {
  return text(block, base + 157, 100)
}

/** True if a block contains only zeros: two such blocks end an archive. */
export function isZeroBlock(block: Buffer, base: number): boolean {
  for (let i = base; i < base + BLOCK; i++) if (block[i] !== 0) return false
  return true
}

/** Size rounded up to whole blocks, in bytes. */
export function padded(size: number): number {
  return size + ((BLOCK - (size % BLOCK)) % BLOCK)
}

/** Creates the error for a fault in an archive, with the byte offset of the fault. */
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
  // Only times may be negative.
  if (value <= max && (value >= 0 || name === 'mtime')) return value
  throw invalid(`field ${name} of a header is not a number in range`, offset)
}

/**
 * SPEC: the checksum is the sum of unsigned bytes. Programs older than POSIX added signed bytes; that sum is accepted
 * too.
 */
function checkSum(block: Buffer, base: number, offset: number): void {
  const expected = numericField(block, base + 148, 8)
  let sum = 8 * 0x20
  for (let i = base; i < base + 148; i++) sum += block[i]!
  for (let i = base + 156; i < base + BLOCK; i++) sum += block[i]!
  if (sum === expected) return
  for (let i = base; i < base + BLOCK; i++) if (block[i]! & 0x80 && (i < base + 148 || i >= base + 156)) sum -= 256
  if (sum === expected) return
  throw offset === 0
    ? invalid('not a tar archive: the first block is not a tar header', offset)
    : invalid('no tar header where one should be: its checksum is wrong', offset)
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
