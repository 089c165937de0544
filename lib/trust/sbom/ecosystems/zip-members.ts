import { inflateRaw } from '../../../compression/index.ts'

/** A file of a ZIP archive. */
export interface ZipMember {
  readonly name: string
  /** Size of the content in bytes, as the directory of the archive states it. */
  readonly size: number
  /** Method of compression: 0 for none, 8 for deflate. */
  readonly method: number
  readonly compressedSize: number
  /** Offset of the local header. */
  readonly offset: number
}

const END = 0x06054b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const END_BYTES = 22
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const MOST_COMMENT = 0xffff
const MOST_MEMBERS = 0xffff

/**
 * Lists the files of a ZIP archive. Archives of more than 65 535 files (ZIP64) are refused. Every offset is checked.
 *
 * @throws Error with a message that says what is wrong.
 * @see {@link https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT | APPNOTE: the ZIP format}
 */
export function listZip(bytes: Buffer): ZipMember[] {
  const end = findEnd(bytes)
  const [count, size, start] = [
    bytes.readUInt16LE(end + 10),
    bytes.readUInt32LE(end + 12),
    bytes.readUInt32LE(end + 16),
  ]
  if (count === MOST_MEMBERS || start === 0xffffffff) throw new Error('ZIP64 archives are not read')
  // A program may stand before the archive, as in jars that start themselves: offsets count from the archive.
  const shift = end - size - start
  if (shift < 0) throw new Error('the directory of the ZIP archive is cut off')
  const members: ZipMember[] = []
  let at = start + shift
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || bytes.readUInt32LE(at) !== CENTRAL) throw new Error('broken ZIP directory')
    const lengths = [28, 30, 32].map(field => bytes.readUInt16LE(at + field))
    const next = at + CENTRAL_BYTES + lengths[0]! + lengths[1]! + lengths[2]!
    if (next > end) throw new Error('broken ZIP directory')
    members.push({
      name: bytes.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + lengths[0]!),
      method: bytes.readUInt16LE(at + 10),
      compressedSize: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42) + shift,
    })
    at = next
  }
  return members
}

function findEnd(bytes: Buffer): number {
  const lowest = Math.max(0, bytes.length - END_BYTES - MOST_COMMENT)
  for (let at = bytes.length - END_BYTES; at >= lowest; at--) {
    if (bytes.readUInt32LE(at) === END && at + END_BYTES + bytes.readUInt16LE(at + 20) === bytes.length) return at
  }
  throw new Error('not a ZIP archive')
}

/**
 * Reads a file of a ZIP archive.
 *
 * @param most - Most bytes that it may have.
 * @throws Error with a message that says what is wrong.
 */
export async function readZip(bytes: Buffer, member: ZipMember, most: number): Promise<Buffer> {
  const { name, offset, size, compressedSize, method } = member
  if (size > most) throw new Error(`${name} has ${size} bytes, more than ${most}`)
  if (offset + LOCAL_BYTES > bytes.length || bytes.readUInt32LE(offset) !== LOCAL)
    throw new Error(`${name} is not there`)
  const start = offset + LOCAL_BYTES + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28)
  if (start + compressedSize > bytes.length) throw new Error(`${name} is cut off`)
  const content = bytes.subarray(start, start + compressedSize)
  if (method === 0) {
    if (size !== compressedSize) throw new Error(`${name} has ${compressedSize} bytes, not ${size}`)
    return content
  }
  if (method !== 8) throw new Error(`${name} is compressed by method ${method}, which is not read`)
  // SAFETY: the size is that of the directory; a stream that inflates to more is refused, however little it is here.
  const inflated = await inflateRaw(content, size)
  return Buffer.from(inflated.buffer, inflated.byteOffset, inflated.byteLength)
}
