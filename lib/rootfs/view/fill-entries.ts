import { DiffIdMismatchError } from '../../errors/index.ts'
import { readLayer } from '../../layer/index.ts'
import type { BlobReader } from '../../store/index.ts'
import type { TarHeader, TarInput } from '../../tar/index.ts'
import type { ContentOptions, ViewEntry, ViewLayer } from '../union-view.ts'

/**
 * Yields entries with their content; see {@link UnionView.withContent}. Memory grows with the number of files and
 * links.
 */
export async function* fillEntries(
  store: Pick<BlobReader, 'read'>,
  layers: readonly ViewLayer[],
  entries: Iterable<ViewEntry>,
  options: ContentOptions,
): AsyncGenerator<TarInput, void, undefined> {
  const files = layers.map(() => new Map<number, ViewEntry>())
  const links: ViewEntry[] = []
  for (const entry of entries) {
    if (entry.type === 'hardlink') links.push(entry)
    else if (entry.type !== 'file' || entry.size === 0) yield tarHeader(entry)
    else files[entry.layer]!.set(entry.offset, entry)
  }
  for (const [i, wanted] of files.entries()) yield* fillFrom(store, layers[i]!, wanted, options)
  for (const link of links) yield tarHeader(link)
}

async function* fillFrom(
  store: Pick<BlobReader, 'read'>,
  { descriptor, diffId }: ViewLayer,
  wanted: Map<number, ViewEntry>,
  { signal, hasher, maxBytes, limits }: ContentOptions,
): AsyncGenerator<TarInput, void, undefined> {
  // A layer without a wanted file is not opened.
  if (wanted.size === 0) return
  const reading = { ...limits, diffId, signal, hasher, maxBytes }
  for await (const { offset, content } of readLayer(store, descriptor, reading)) {
    const entry = wanted.get(offset)
    if (!entry) continue
    wanted.delete(offset)
    yield { ...tarHeader(entry), content }
  }
  if (wanted.size === 0) return
  const actual = `an index that knows ${wanted.size} files the layer does not hold`
  throw new DiffIdMismatchError({ layer: descriptor.digest, expected: diffId, actual })
}

/** The tar header of an entry, without the members that only a view has. */
export function tarHeader(entry: ViewEntry): TarHeader {
  const { layer: _, implicit: __, digest: ___, storedDigest: ____, offset: _____, sparse: ______, ...header } = entry
  return header
}
