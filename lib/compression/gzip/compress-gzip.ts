import type { ByteSource } from '../../internal/byte-source.ts'
import { exactBlocks } from '../shared/exact-blocks.ts'
import { type BlockCompression, compressGzipBlocks, GZIP_BLOCK, GZIP_HEADER } from './gzip-blocks.ts'

/**
 * Compresses to one gzip member. Blocks are compressed separately: each takes the end of the previous block as its
 * dictionary and, except the last, ends at a byte boundary, so that the concatenation is one deflate stream.
 */
export async function* compressGzip(
  source: ByteSource,
  options: BlockCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield GZIP_HEADER.slice()
  yield* compressGzipBlocks(exactBlocks(source, GZIP_BLOCK), options)
}
