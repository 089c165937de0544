/** A format that {@link compress} writes and {@link decompress} reads; `none` is uncompressed. */
export type CompressionType = 'gzip' | 'zstd' | 'none'

/** Result of {@link detectCompression}. bzip2 and xz are detected to be refused by name. */
export type DetectedCompression = CompressionType | 'bzip2' | 'xz'

/** Number of bytes that {@link detectCompression} reads. */
export const MAGIC_BYTES = 6

/**
 * Detects the compression by the first bytes of a stream; six are enough. Input too short for a magic number is `none`.
 * A zstd stream may begin with a skippable frame ({@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2 | RFC
 * 8878}).
 */
export function detectCompression(head: Uint8Array): DetectedCompression {
  if (startsWith(head, [0x1f, 0x8b, 0x08])) return 'gzip'
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd'
  if (head.length >= 4 && (head[0]! & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18])) return 'zstd'
  if (startsWith(head, [0x42, 0x5a, 0x68]) && head[3]! >= 0x31 && head[3]! <= 0x39) return 'bzip2'
  if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz'
  return 'none'
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte)
}
