import { SizeMismatchError } from '../../errors/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { BlobInfo, BlobWriter, PutOptions } from '../blob-store.ts'

/** Writes a whole source and commits it; whatever fails, nothing is left. */
export async function putThrough(writer: BlobWriter, source: ByteSource, options: PutOptions): Promise<BlobInfo> {
  const size = options.size ?? Number.POSITIVE_INFINITY
  try {
    for await (const chunk of abortableItems(chunksOf(source), options.signal)) {
      await writer.write(chunk)
      // SAFETY: a source that never ends must not fill the disk; one chunk over the promise is enough to know.
      if (writer.offset > size) throw new SizeMismatchError({ expected: size, actual: writer.offset, what: 'blob' })
    }
    return await writer.commit({ digest: options.digest, size: options.size, signal: options.signal })
  } catch (error) {
    await writer.abort().catch(() => undefined)
    throw error
  }
}
