import type { ByteSource } from '../../internal/byte-source.ts'
import { openNatively } from './open-natively.ts'
import { openPortably } from './open-portably.ts'
import { platformZstd } from './platform-zstd.ts'
import { zstdFrames } from './zstd-frames.ts'

/** Decompresses all frames of a zstd stream, with the platform's engine where it has one. */
export function decompressZstd(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const platform = platformZstd()
  return platform ? openNatively(platform, zstdFrames(source)) : openPortably(zstdFrames(source))
}
