import { FormatError } from '../../errors/index.ts'

/** A parsed zstd frame header. */
export interface FrameHeader {
  /** Maximum distance of a back reference: the memory that decoding needs. */
  readonly windowSize: bigint
  /** Content size in bytes, if the frame states it. */
  readonly contentSize: bigint | undefined
  /** True if a four-byte checksum follows the last block. */
  readonly checksum: boolean
}

/** Returns the header size after the magic number, from the frame header descriptor. */
export function frameHeaderSize(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1
  return 1 + (1 - singleSegment) + [0, 1, 2, 4][descriptor & 3]! + contentSizeBytes(descriptor)
}

/**
 * Parses a frame header without its magic number.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1 | RFC 8878: frame header}
 */
export function parseFrameHeader(bytes: Uint8Array): FrameHeader {
  const descriptor = bytes[0]!
  if (descriptor & 8) throw new FormatError('ERR_INVALID_COMPRESSION', 'zstd frame header uses a reserved bit')
  const singleSegment = ((descriptor >> 5) & 1) === 1
  const dictionaryAt = singleSegment ? 1 : 2
  const dictionaryEnd = dictionaryAt + [0, 1, 2, 4][descriptor & 3]!
  if (bytes.subarray(dictionaryAt, dictionaryEnd).some(byte => byte !== 0)) {
    throw new FormatError('ERR_UNSUPPORTED_COMPRESSION', 'zstd frame needs a dictionary')
  }
  const width = contentSizeBytes(descriptor)
  const contentSize = width ? littleEndian(bytes.subarray(dictionaryEnd)) + (width === 2 ? 256n : 0n) : undefined
  const windowSize = singleSegment ? contentSize! : windowOf(bytes[1]!)
  return { windowSize, contentSize, checksum: (descriptor & 4) !== 0 }
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >> 6
  return flag === 0 ? (descriptor >> 5) & 1 : 1 << flag
}

function windowOf(descriptor: number): bigint {
  const base = 1n << BigInt(10 + (descriptor >> 3))
  return base + (base / 8n) * BigInt(descriptor & 7)
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
}
