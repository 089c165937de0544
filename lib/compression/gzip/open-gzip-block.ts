import { constants, inflateRaw } from 'node:zlib'

/**
 * Opens a compressed block of {@link compressGzip}.
 *
 * @param dictionary - The 32 KiB before the block, or all bytes if there are fewer.
 * @param size - Size of the block in bytes.
 * @internal
 */
export function openGzipBlock(packed: Uint8Array, dictionary: Uint8Array, size: number): Promise<Buffer> {
  const options = {
    // One byte more: a longer block is noticed.
    maxOutputLength: size + 1,
    chunkSize: Math.max(64, size + 1),
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary.byteLength > 0 ? { dictionary } : {}),
  }
  return new Promise((resolve, reject) => {
    inflateRaw(packed, options, (error, result) => (error ? reject(error) : resolve(result)))
  })
}
