import type { ByteSource } from '../../internal/byte-source.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'

/**
 * All bytes of a file in one buffer, not copied once more.
 *
 * @throws {@link LimitError} as {@link collectBytes}.
 */
export async function collectBuffer(source: ByteSource, limit: number, path: string): Promise<Buffer> {
  const bytes = await collectBytes(source, limit, path)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
