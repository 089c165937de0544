import { createGunzip } from 'node:zlib'
import { FormatError } from '../../errors/index.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import type { BytesCome } from '../shared/engine-input.ts'
import { ENGINE_OPTIONS, runEngine } from '../shared/run-engine.ts'

/**
 * All members of a gzip stream. The engine checks headers, checksums, sizes and truncation of each. `input` is told how far
 * it has come.
 */
export function decompressGzip(source: ByteSource, input: BytesCome): AsyncGenerator<Uint8Array, void, undefined> {
  return runEngine(() => createGunzip(ENGINE_OPTIONS), source, refuseNonZero, input)
}

/**
 * SAFETY: at a zero byte after a member the engine stops without an error, as gzip(1) does, while other readers go on to
 * a member behind the zeros. Only zeros up to the very end are padding.
 */
async function refuseNonZero(rest: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of rest) {
    if (chunk.some(byte => byte !== 0)) {
      throw new FormatError('ERR_INVALID_COMPRESSION', 'bytes after zero padding in a gzip stream')
    }
  }
}
