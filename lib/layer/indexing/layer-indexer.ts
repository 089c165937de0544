import { createDigester, type Digest, type Digester, type HasherEngine } from '../../digest/index.ts'
import { HeaderScanner } from '../../tar/index.ts'
import type { IndexedEntry, LayerIndex } from '../layer-index.ts'

/** A file whose content is passing, and where it stands among the entries. */
interface OpenFile {
  readonly place: number
  readonly begin: number
  readonly end: number
}

/**
 * Makes the index of a tar that streams past: feed it every chunk, in order. The bytes are checked as `readTar` checks
 * them, so that there is no index of what cannot be read. Memory grows with the entries and with nothing else.
 */
export class LayerIndexer {
  readonly #hasher: HasherEngine | undefined
  readonly #scanner = new HeaderScanner()
  readonly #entries: IndexedEntry[] = []
  /** The next one first. */
  #open: OpenFile[] = []
  #digester: Digester | undefined
  #bytes = 0

  constructor(hasher: HasherEngine | undefined) {
    this.#hasher = hasher
  }

  /** Takes the next chunk. It may be reused after that. */
  async take(chunk: Uint8Array): Promise<void> {
    const begin = this.#bytes
    this.#bytes += chunk.byteLength
    // What the scanner passes on is for the extractor; the chunk itself has the same bytes.
    for (const _ of this.#scanner.scan(chunk));
    for (const header of this.#scanner.headers.splice(0)) {
      if (header.type === 'file') {
        const place = this.#entries.length
        this.#open.push({ place, begin: header.offset, end: header.offset + header.size })
      }
      this.#entries.push(header)
    }
    if (this.#open.length > 0) await this.#hash(chunk, begin)
  }

  async #hash(chunk: Uint8Array, begin: number): Promise<void> {
    let done = 0
    for (const file of this.#open) {
      this.#digester ??= await createDigester({ hasher: this.#hasher })
      const from = Math.max(file.begin, begin) - begin
      const to = Math.min(file.end, this.#bytes) - begin
      if (to > from) this.#digester.update(chunk.subarray(from, to))
      if (file.end > this.#bytes) break
      this.#close(file.place, this.#digester.digest())
      this.#digester = undefined
      done++
    }
    this.#open = this.#open.slice(done)
  }

  #close(place: number, digest: Digest): void {
    this.#entries[place] = { ...this.#entries[place]!, digest }
  }

  /** The index, after the last chunk. The caller answers for the diffId. */
  finish(diffId: Digest): LayerIndex {
    this.#scanner.end()
    return { version: 1, diffId, bytes: this.#bytes, entries: this.#entries, duplicates: duplicatesOf(this.#entries) }
  }

  /** Frees what a stream that broke off has left. */
  release(): void {
    this.#digester?.release()
    this.#digester = undefined
  }
}

function duplicatesOf(entries: readonly IndexedEntry[]): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { path } of entries) (seen.has(path) ? twice : seen).add(path)
  return [...twice]
}
