import type { AbortOptions } from '../../internal/abort.ts'
import { type IndexedEntry, readFileRange } from '../../layer/index.ts'
import type { ViewStore } from '../../rootfs/index.ts'
import type { LayerContents } from '../read-layers.ts'

/** Most bytes of a file that are read. */
const MOST_BYTES = 64 * 1024

/**
 * Yields files of a layer with the first 64 KiB of each. A compressed layer is decompressed once, up to the end of the
 * last file; a plain one is read only where the files are.
 */
export async function* readCandidates(
  store: Pick<ViewStore, 'read'>,
  layer: LayerContents,
  files: readonly IndexedEntry[],
  options: AbortOptions,
): AsyncGenerator<{ readonly file: IndexedEntry; readonly head: Buffer }, void, undefined> {
  const isPlain = layer.diffId === layer.descriptor.digest
  const alone = files.filter(file => isPlain || file.sparse !== undefined)
  for (const file of alone) {
    yield {
      file,
      head: await headOf(readFileRange(store, layer, file, { offset: 0, length: lengthOf(file), ...options })),
    }
  }
  const together = files.filter(file => !alone.includes(file)).sort((a, b) => a.offset - b.offset)
  if (together.length > 0) yield* readTogether(store, layer, together, options)
}

async function* readTogether(
  store: Pick<ViewStore, 'read'>,
  layer: LayerContents,
  files: readonly IndexedEntry[],
  options: AbortOptions,
) {
  const start = files[0]!.offset
  const length = Math.max(...files.map(file => file.offset + lengthOf(file))) - start
  const span = { path: layer.diffId, offset: start }
  const waiting = [...files]
  let parts: Buffer[] = []
  let position = start
  for await (const chunk of readFileRange(store, layer, span, { offset: 0, length, ...options })) {
    const end = position + chunk.byteLength
    for (let file = waiting[0]; file && file.offset < end; file = waiting[0]) {
      const to = file.offset + lengthOf(file)
      const part = chunk.subarray(Math.max(0, file.offset - position), Math.max(0, to - position))
      // The chunk belongs to the reader and is reused.
      parts.push(Buffer.from(part))
      if (to > end) break
      yield { file, head: Buffer.concat(parts) }
      parts = []
      waiting.shift()
    }
    position = end
  }
}

function lengthOf({ size }: IndexedEntry): number {
  return Math.min(size, MOST_BYTES)
}

async function headOf(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of bytes) parts.push(Buffer.from(chunk))
  return Buffer.concat(parts)
}
