import { SizeMismatchError } from '../../errors/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import type { BlobInfo, BlobWriter, PutOptions } from '../blob-store.ts'

/** Writes a whole source and commits it; on any failure nothing is kept. */
export async function putThrough(writer: BlobWriter, source: ByteSource, options: PutOptions): Promise<BlobInfo> {
  const size = options.size ?? Number.POSITIVE_INFINITY
  try {
    checkSize(options)
    for await (const chunk of abortableItems(chunksOf(source), options.signal)) {
      await writer.write(chunk)
      // SAFETY: an endless source would fill the disk; the write stops one chunk after the expected size.
      if (writer.offset > size) throw new SizeMismatchError({ expected: size, actual: writer.offset, what: 'blob' })
    }
    return await writer.commit({ digest: options.digest, size: options.size, signal: options.signal })
  } catch (error) {
    await writer.abort().catch(() => undefined)
    throw error
  }
}

/** Throws `ERR_INVALID_ARGUMENT` if the expected size is no number of bytes. */
export function checkSize({ size }: PutOptions): void {
  if (size === undefined || (Number.isSafeInteger(size) && size >= 0)) return
  throw invalidArgument('size', 'a whole number of bytes', size)
}
