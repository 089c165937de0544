import { decompress, sniffCompression } from '../../compression/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'

/** Bytes of a header of a tar archive. */
const BLOCK_BYTES = 512

/**
 * Resolves to whether bytes are a tar archive with at least one member, plain or compressed with gzip or zstd; to
 * `bzip2` or `xz` if they are compressed so, because it cannot be seen here what they hold. Reads the first block.
 */
export async function isTar(source: ByteSource, { signal }: AbortOptions): Promise<boolean | 'bzip2' | 'xz'> {
  const { type, content } = await sniffCompression(source)
  try {
    if (type === 'bzip2' || type === 'xz') return type
    const block = await firstBlock(decompress(content, { type, signal }))
    return block !== undefined && hasTarChecksum(block)
  } catch (error) {
    signal?.throwIfAborted()
    // Damaged compression: not an archive that can be unpacked, so it is a file like any other.
    if (isFormatError(error)) return false
    throw error
  } finally {
    await content.return()
  }
}

async function firstBlock(bytes: AsyncIterable<Uint8Array>): Promise<Buffer | undefined> {
  let head = Buffer.alloc(0)
  for await (const chunk of bytes) {
    head = Buffer.concat([head, chunk.subarray(0, BLOCK_BYTES)])
    if (head.byteLength >= BLOCK_BYTES) return head.subarray(0, BLOCK_BYTES)
  }
  return undefined
}

/** True if a block is a header of a tar archive: its checksum is that of its bytes, taken with or without signs. */
function hasTarChecksum(block: Buffer): boolean {
  const field = block.subarray(148, 156)
  const stored = /^[ \0]*([0-7]+)[ \0]*$/.exec(field.toString('latin1'))
  if (!stored || block.every(byte => byte === 0)) return false
  let [unsigned, signed] = [0, 0]
  for (const [i, byte] of block.entries()) {
    const counted = i >= 148 && i < 156 ? 0x20 : byte
    unsigned += counted
    signed += counted > 127 ? counted - 256 : counted
  }
  const expected = Number.parseInt(stored[1]!, 8)
  return expected === unsigned || expected === signed
}

function isFormatError(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return code === 'ERR_INVALID_COMPRESSION' || code === 'ERR_UNSUPPORTED_COMPRESSION' || code === 'ERR_LIMIT_EXCEEDED'
}
