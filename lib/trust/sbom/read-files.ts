import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { ContentOptions, UnionView, ViewEntry } from '../../rootfs/index.ts'

/** Reads one file; content that it leaves is skipped. */
export type ReadFile = (entry: ViewEntry, content: AsyncIterable<Uint8Array>) => Promise<void>

/**
 * Reads files of an image; each layer is decompressed at most once, except for files with several names of which
 * another one comes first.
 */
export async function readFiles(
  view: UnionView,
  entries: readonly ViewEntry[],
  options: Pick<ContentOptions, 'signal' | 'hasher'>,
  read: ReadFile,
): Promise<void> {
  const byPath = new Map(entries.map(entry => [entry.path, entry]))
  const files = entries.filter(({ type }) => type === 'file')
  for await (const { path, content } of view.withContent(files, options)) {
    const source = typeof content === 'function' ? await content() : content
    await read(byPath.get(path)!, piecesOf(typeof source === 'string' ? Buffer.from(source) : (source ?? [])))
  }
  for (const entry of entries.filter(({ type }) => type === 'hardlink')) {
    await read(entry, view.read(entry.path, { signal: options.signal }))
  }
}

async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  yield* chunksOf(source)
}
