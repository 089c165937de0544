export { type CompressOptions, compress } from './compress.ts'
export { type DecompressOptions, decompress } from './decompress.ts'
export { type CompressionType, type DetectedCompression, detectCompression } from './detect-compression.ts'
export { type SniffedSource, sniffCompression } from './sniff-compression.ts'
