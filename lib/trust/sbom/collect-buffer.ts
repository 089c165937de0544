import type { ByteSource } from '../../internal/byte-source.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'

/**
 * Collects a file in one buffer. PERF: the buffer shares the memory of the collected bytes.
 *
 * @throws {@link LimitError} as {@link collectBytes}.
 */
export async function collectBuffer(source: ByteSource, limit: number, path: string): Promise<Buffer> {
  const bytes = await collectBytes(source, limit, path)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
