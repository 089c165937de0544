import { deflateRawSync } from 'node:zlib'

/** Bytes of the header and the trailer of a gzip member. */
const FRAME_BYTES = 18

/**
 * Returns the size of bytes as one gzip member, without keeping it. Synchronous: meant for pieces of at most 64 KiB,
 * which take about 2 ms.
 *
 * @param level - 0 to 9. @defaultValue `6`
 * @internal
 */
export function gzipSize(bytes: Uint8Array, level = 6): number {
  return FRAME_BYTES + deflateRawSync(bytes, { level }).byteLength
}
