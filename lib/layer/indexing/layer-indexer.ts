import { createDigestSeries, type Digest, type DigestSeries, type HasherEngine } from '../../digest/index.ts'
import { type SparseRegion, type TarLimits, TarScanner } from '../../tar/index.ts'
import type { IndexedEntry } from '../layer-index.ts'

/** Holes of a sparse file that are hashed in any case, and more for each byte that is stored. */
const HASHED_HOLES = 64 * 1024
const HASHED_HOLES_RATIO = 64

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
  /** Whether only what is stored of it is hashed. */
  #passesHoles = false
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
    for (let found = this.#next(); found; found = this.#next()) {
      if (found instanceof Uint8Array) this.#addContent(found, this.#digests)
      else if (found.type === 'file') this.#open(found, this.#digests)
      else this.#found(found)
    }
  }

  #next(): ReturnType<TarScanner['next']> {
    if (this.#passesHoles) this.#scanner.passHole()
    return this.#scanner.next()
  }

  #open(file: Draft, digests: DigestSeries): void {
    const stored = file.sparse ? storedBytes(file.sparse) : file.size
    // SAFETY: a file of a few bytes may say that it has any number of zeros: a GB of them takes three seconds to hash.
    this.#passesHoles = file.size - stored > HASHED_HOLES + HASHED_HOLES_RATIO * stored
    this.#file = file
    this.#left = this.#passesHoles ? stored : file.size
    if (this.#left > 0) return
    this.#emptyDigest ??= digests.next()
    this.#close(this.#emptyDigest)
  }

  #addContent(piece: Uint8Array, digests: DigestSeries): void {
    digests.update(piece)
    this.#left -= piece.byteLength
    if (this.#left === 0) this.#close(digests.next())
  }

  #close(digest: Digest): void {
    const file = this.#file!
    if (this.#passesHoles) file.storedDigest = digest
    else file.digest = digest
    if (this.#passesHoles) this.#scanner.passHole()
    this.#passesHoles = false
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

function storedBytes(regions: readonly SparseRegion[]): number {
  return regions.reduce((sum, { length }) => sum + length, 0)
}
