import zlib from 'node:zlib'
import type { Engine } from '../shared/engine-input.ts'

/** The part of node:zlib that Node has from 22.15 and 23.8 on; the types of Node 20 do not know it. */
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

/** The platform's zstd, or `undefined` where it has none. */
export function platformZstd(): PlatformZstd | undefined {
  return 'zstdCompress' in zlib ? (zlib as unknown as PlatformZstd) : undefined
}
