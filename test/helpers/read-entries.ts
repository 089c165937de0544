import type { ScannedHeader, TarEntry } from '../../lib/tar/index.ts'
import { readAll } from './read-all.ts'

/** Reads all entries of an archive, with their content in latin1. */
export async function readEntries(entries: AsyncIterable<TarEntry>): Promise<(ScannedHeader & { text: string })[]> {
  const all: (ScannedHeader & { text: string })[] = []
  for await (const { content, ...header } of entries) {
    all.push({ ...header, text: (await readAll(content)).toString('latin1') })
  }
  return all
}
