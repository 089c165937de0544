import { FormatError } from '../../errors/index.ts'

/** What the header of a zstd frame says. */
export interface FrameHeader {
  /** How far back the content refers: the memory that reading takes. */
  readonly windowSize: bigint
  /** Bytes of content, where the frame says so. */
  readonly contentSize: bigint | undefined
  /** Whether four bytes of checksum follow the last block. */
  readonly checksum: boolean
}

/** Bytes of the header after the magic number, known from the first of them. */
export function frameHeaderSize(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1
  return 1 + (1 - singleSegment) + [0, 1, 2, 4][descriptor & 3]! + contentSizeBytes(descriptor)
}

/**
 * Reads a frame header without its magic number.
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
