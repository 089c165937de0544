import { createGunzip } from 'node:zlib'
import { FormatError } from '../../errors/index.ts'
import type { BytesCome } from '../shared/engine-input.ts'
import { gatherChunks } from '../shared/gather-chunks.ts'
import { ENGINE_OPTIONS, runEngine } from '../shared/run-engine.ts'

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * Decompresses all members of a gzip stream. zlib verifies headers, checksums, sizes and truncation of each. `input`
 * receives the number of consumed bytes.
 */
export function decompressGzip(source: Chunks, input: BytesCome): AsyncGenerator<Uint8Array, void, undefined> {
  return runEngine(() => createGunzip(ENGINE_OPTIONS), gatherChunks(source), refuseNonZero, input)
}

/**
 * SAFETY: zlib stops without an error at a zero byte after a member, as gzip(1) does, but other decoders read a member
 * after the zeros: two programs would see different content. Only zeros up to the end are therefore accepted as
 * padding.
 */
async function refuseNonZero(rest: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of rest) {
    if (chunk.some(byte => byte !== 0)) {
      throw new FormatError('ERR_INVALID_COMPRESSION', 'bytes after zero padding in a gzip stream')
    }
  }
}
