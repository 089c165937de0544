import { LimitError } from '../errors/index.ts'
import { type ByteSource, chunksOf } from './byte-source.ts'

/**
 * All bytes of a source in one buffer; for documents only.
 *
 * @throws {@link LimitError} as soon as more than `limit` bytes have arrived; the source is not read further.
 */
export async function collectBytes(source: ByteSource, limit: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunksOf(source)) {
    size += chunk.byteLength
    if (size > limit) throw new LimitError(what, { limit, actual: size })
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
}
