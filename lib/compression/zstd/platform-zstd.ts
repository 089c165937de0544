import zlib from 'node:zlib'
import type { Engine } from '../shared/engine-input.ts'

/** The zstd part of node:zlib (Node 22.15, 23.8 and later); the types of Node 20 lack it. */
export interface PlatformZstd {
  zstdCompress(
    data: Uint8Array,
    options: { chunkSize?: number; params?: Record<number, number> },
    done: (error: Error | null, result: Buffer) => void,
  ): void
  zstdDecompressSync(data: Uint8Array, options: { maxOutputLength: number }): Buffer
  createZstdDecompress(options: { chunkSize?: number; params?: Record<number, number> }): Engine
  constants: Record<'ZSTD_c_compressionLevel' | 'ZSTD_c_checksumFlag' | 'ZSTD_d_windowLogMax', number>
}

/** Returns the platform's zstd, or `undefined` if it has none. */
export function platformZstd(): PlatformZstd | undefined {
  return 'zstdCompress' in zlib ? (zlib as unknown as PlatformZstd) : undefined
}
