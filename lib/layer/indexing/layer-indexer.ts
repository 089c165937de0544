import { createDigestSeries, type Digest, type DigestSeries, type HasherEngine } from '../../digest/index.ts'
import { type TarLimits, TarScanner } from '../../tar/index.ts'
import type { IndexedEntry } from '../layer-index.ts'

/** An entry while its content is still passing. */
type Draft = { -readonly [K in keyof IndexedEntry]: IndexedEntry[K] }

/**
 * Makes the entries of an index of a tar that streams past: feed it every chunk, in order. The bytes are checked as
 * `readTar` checks them, so that there is no index of what cannot be read. Holds one entry.
 */
export class LayerIndexer {
  readonly #hasher: HasherEngine | undefined
  readonly #found: (entry: IndexedEntry) => void
  readonly #scanner: TarScanner
  #digests: DigestSeries | undefined
  /** PERF: packages are full of empty files. */
  #emptyDigest: Digest | undefined
  /** The file whose content passes, and bytes of it that are still to come. */
  #file: Draft | undefined
  #left = 0
  #bytes = 0

  /** `found` gets each entry when all of its content has passed. */
  constructor(hasher: HasherEngine | undefined, found: (entry: IndexedEntry) => void, limits: TarLimits = {}) {
    this.#hasher = hasher
    this.#found = found
    this.#scanner = new TarScanner(limits)
  }

  /** Takes the next chunk. It may be reused after that. */
  async take(chunk: Uint8Array): Promise<void> {
    this.#digests ??= await createDigestSeries({ hasher: this.#hasher })
    this.#bytes += chunk.byteLength
    this.#scanner.push(chunk)
    for (let found = this.#scanner.next(); found; found = this.#scanner.next()) {
      if (found instanceof Uint8Array) this.#addContent(found, this.#digests)
      else if (found.type === 'file') this.#open(found, this.#digests)
      else this.#found(found)
    }
  }

  #open(file: Draft, digests: DigestSeries): void {
    if (file.size > 0) {
      this.#file = file
      this.#left = file.size
      return
    }
    this.#emptyDigest ??= digests.next()
    file.digest = this.#emptyDigest
    this.#found(file)
  }

  #addContent(piece: Uint8Array, digests: DigestSeries): void {
    digests.update(piece)
    this.#left -= piece.byteLength
    if (this.#left > 0) return
    const file = this.#file!
    file.digest = digests.next()
    this.#found(file)
  }

  /** To be called after the last chunk: gives the bytes of the tar. */
  end(): number {
    this.#scanner.end()
    return this.#bytes
  }

  /** Frees what it holds. */
  release(): void {
    this.#digests?.release()
    this.#digests = undefined
  }
}
