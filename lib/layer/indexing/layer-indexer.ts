import { createDigester, type Digest, type Digester, type HasherEngine } from '../../digest/index.ts'
import { type TarLimits, TarScanner } from '../../tar/index.ts'
import type { IndexedEntry, LayerIndex } from '../layer-index.ts'

/** An entry while its content is still passing. */
type Draft = { -readonly [K in keyof IndexedEntry]: IndexedEntry[K] }

/**
 * Makes the index of a tar that streams past: feed it every chunk, in order. The bytes are checked as `readTar` checks
 * them, so that there is no index of what cannot be read. Memory grows with the entries and with nothing else.
 */
export class LayerIndexer {
  readonly #hasher: HasherEngine | undefined
  readonly #scanner: TarScanner
  readonly #entries: Draft[] = []
  #digester: Digester | undefined
  /** PERF: packages are full of empty files. */
  #emptyDigest: Digest | undefined
  /** Bytes of the last entry's content that are still to come. */
  #left = 0
  #bytes = 0

  constructor(hasher: HasherEngine | undefined, limits: TarLimits = {}) {
    this.#hasher = hasher
    this.#scanner = new TarScanner(limits)
  }

  /** Takes the next chunk. It may be reused after that. */
  async take(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.byteLength
    this.#scanner.push(chunk)
    for (let found = this.#scanner.next(); found; found = this.#scanner.next()) {
      if (found instanceof Uint8Array) {
        this.#digester!.update(found)
        this.#left -= found.byteLength
        if (this.#left === 0) this.#close()
        continue
      }
      this.#entries.push(found)
      if (found.type === 'file') await this.#open(found)
    }
  }

  async #open(file: Draft): Promise<void> {
    if (file.size === 0 && this.#emptyDigest) {
      file.digest = this.#emptyDigest
      return
    }
    this.#digester = await createDigester({ hasher: this.#hasher })
    this.#left = file.size
    if (file.size === 0) this.#emptyDigest = this.#close()
  }

  #close(): Digest {
    const digest = this.#digester!.digest()
    this.#entries.at(-1)!.digest = digest
    this.#digester = undefined
    return digest
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
