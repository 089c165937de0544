import { crc32 } from 'node:zlib'

/**
 * Returns the CRC-32 of a compressed block, which detects damage at a small part of the cost of a digest.
 *
 * @internal
 */
export function blockChecksum(packed: Uint8Array): number {
  return crc32(packed)
}
