import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import type { ContentOptions, UnionView, ViewEntry } from '../../rootfs/index.ts'
import { collectBuffer } from './collect-buffer.ts'

/** Reads one file; content that it leaves is skipped. */
export type ReadFile = (entry: ViewEntry, content: AsyncIterable<Uint8Array>) => Promise<void>

/** Options of {@link readFiles}. */
interface ReadFilesOptions extends Pick<ContentOptions, 'signal' | 'hasher'> {
  /** Bytes of a file of which a further name may be read; above, only the first name gets content. */
  readonly mostOfLinked: number
}

/**
 * Reads files of an image; each layer is decompressed at most once. Every name of a file has its size.
 *
 * PERF: files with several names are read under the first of them, also if only others are wanted: a layer of a
 * package manager that links packages from a pool would be decompressed once for each of them.
 */
export async function readFiles(
  view: UnionView,
  entries: readonly ViewEntry[],
  { mostOfLinked, ...options }: ReadFilesOptions,
  read: ReadFile,
): Promise<void> {
  const names = new Map<string, ViewEntry[]>()
  for (const entry of entries) {
    const first = entry.type === 'hardlink' ? entry.linkname! : entry.path
    const known = names.get(first)
    if (known) known.push(entry)
    else names.set(first, [entry])
  }
  const files = [...names.keys()].flatMap(path => view.stat(path) ?? [])
  for await (const { path, size, content } of view.withContent(files, options)) {
    const source = typeof content === 'function' ? await content() : content
    const pieces = piecesOf(typeof source === 'string' ? Buffer.from(source) : (source ?? []))
    const [only, ...others] = names.get(path)!.map(entry => ({ ...entry, size: size ?? 0 }))
    if (others.length === 0) await read(only!, pieces)
    else await readAll([only!, ...others], pieces, mostOfLinked, read)
  }
}

async function readAll(
  entries: readonly ViewEntry[],
  content: AsyncIterable<Uint8Array>,
  most: number,
  read: ReadFile,
): Promise<void> {
  const { path, size } = entries[0]!
  const bytes = size > most ? undefined : await collectBuffer(content, most, path)
  for (const entry of entries) {
    const isStream = bytes === undefined && entry.type === 'file'
    await read(entry, isStream ? content : piecesOf(bytes ?? []))
  }
}

async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  yield* chunksOf(source)
}
