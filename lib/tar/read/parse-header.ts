import { FormatError } from '../../errors/index.ts'
import type { TarEntryType } from '../tar-entry.ts'

/** What one header block says; names are bytes still. */
export interface RawHeader {
  /** The type flag as a character; `0` for the NUL of old archives. */
  readonly flag: string
  /** Name, with the prefix of ustar in front. */
  readonly name: Buffer
  /** Target of a link. */
  readonly linkname: Buffer
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly devMajor: number
  readonly devMinor: number
}

/** The entries that a layer may hold, by type flag. */
export const ENTRY_TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
}

/** Reads a header block, strictly: a field is octal or base 256, in range, or the archive is refused. */
export function parseHeader(block: Buffer, offset: number): RawHeader {
  const number = (name: string, at: number, width: number, max = Number.MAX_SAFE_INTEGER) => {
    const value = numericField(block.subarray(at, at + width))
    // Only a time may be negative.
    if (value === undefined || value > max || (value < 0 && name !== 'mtime')) {
      throw invalid(`field ${name} of a header is not a number in range`, offset)
    }
    return value
  }
  checkSum(block, number('checksum', 148, 8), offset)
  // SPEC: the prefix belongs to POSIX ustar; GNU keeps times in its place.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : Buffer.alloc(0)
  const name = text(block, 0, 100)
  return {
    flag: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    name: prefix.byteLength > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    linkname: text(block, 157, 100),
    mode: number('mode', 100, 8) & 0o7777,
    uid: number('uid', 108, 8, MAX_ID),
    gid: number('gid', 116, 8, MAX_ID),
    size: number('size', 124, 12),
    mtime: number('mtime', 136, 12),
    devMajor: number('devmajor', 329, 8, 2 ** 32 - 1),
    devMinor: number('devminor', 337, 8, 2 ** 32 - 1),
  }
}

/** SAFETY: 2^32-1 as an owner means "leave as it is" to the system, larger ones wrap round to root. */
export const MAX_ID: number = 2 ** 32 - 2

/** The error of every fault in an archive, with the byte where it shows. */
export function invalid(message: string, offset: number, cause?: unknown): FormatError {
  return new FormatError('ERR_INVALID_TAR', message, {
    at: `byte ${offset}`,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** A whole number up to 2^53, or `undefined`: octal with blanks around it, or base 256. */
function numericField(field: Buffer): number | undefined {
  if (field[0]! & 0x80) return base256(field)
  // The extractor decodes the size again; it agrees for this form, not for NULs before blanks.
  const octal = /^ *\0*([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1]
  return octal === undefined ? undefined : Number.parseInt(octal || '0', 8)
}

function base256(field: Buffer): number | undefined {
  const value = BigInt.asIntN(field.byteLength * 8 - 1, BigInt(`0x${field.toString('hex')}`))
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : undefined
}

function checkSum(block: Buffer, expected: number, offset: number): void {
  let sum = 8 * 0x20
  for (let i = 0; i < 148; i++) sum += block[i]!
  for (let i = 156; i < 512; i++) sum += block[i]!
  if (sum !== expected) throw invalid('no tar header where one should be: its checksum is wrong', offset)
}

function text(block: Buffer, at: number, width: number): Buffer {
  const field = block.subarray(at, at + width)
  const end = field.indexOf(0)
  // A copy: the block is part of a chunk that may be reused.
  return Buffer.from(end < 0 ? field : field.subarray(0, end))
}
