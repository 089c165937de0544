export { type CompressOptions, compress } from './compress.ts'
export { type DecompressOptions, decompress } from './decompress.ts'
export { type CompressionType, type DetectedCompression, detectCompression } from './detect-compression.ts'
export { blockChecksum } from './gzip/block-checksum.ts'
export {
  compressGzipBlocks,
  GZIP_BLOCK,
  GZIP_HEADER,
  GZIP_WINDOW,
  type GzipBlock,
  type GzipBlocksOptions,
  type GzipProgress,
  type PackedBlock,
} from './gzip/gzip-blocks.ts'
export { openGzipBlock } from './gzip/open-gzip-block.ts'
export { gzipSize } from './gzip-size.ts'
export { inflateRaw } from './inflate-raw.ts'
export { type Block, exactBlocks } from './shared/exact-blocks.ts'
export { type SniffedSource, sniffCompression } from './sniff-compression.ts'
