import { createDigestSeries, type Digest, type DigestSeries, type HasherEngine } from '../../digest/index.ts'
import { type SparseRegion, type TarLimits, TarScanner } from '../../tar/index.ts'
import type { IndexedEntry } from '../layer-index.ts'

/** Holes of a sparse file that are hashed in any case, in bytes; more are hashed for each stored byte. */
const HASHED_HOLES = 64 * 1024
const HASHED_HOLES_RATIO = 64

/** An entry whose content has not ended yet. */
type Draft = { -readonly [K in keyof IndexedEntry]: IndexedEntry[K] }

/**
 * Makes the entries of an index from the chunks of a tar, in order. It checks the bytes as `readTar` does, so an
 * unreadable tar gets no index. Holds one entry.
 */
export class LayerIndexer {
  readonly #hasher: HasherEngine | undefined
  readonly #found: (entry: IndexedEntry) => void
  readonly #scanner: TarScanner
  #digests: DigestSeries | undefined
  /** PERF: packages contain many empty files. */
  #emptyDigest: Digest | undefined
  /** The file whose content is being read, and the number of its remaining bytes. */
  #file: Draft | undefined
  #left = 0
  /** True if only its stored bytes are hashed. */
  #passesHoles = false
  #bytes = 0

  /** @param found - Called with each entry after all of its content. */
  constructor(hasher: HasherEngine | undefined, found: (entry: IndexedEntry) => void, limits: TarLimits = {}) {
    this.#hasher = hasher
    this.#found = found
    this.#scanner = new TarScanner(limits)
  }

  /** Adds the next chunk. The caller may reuse it afterwards. */
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
    // SAFETY: a file of a few bytes may claim any number of zeros, and a GB of zeros takes three seconds to hash.
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

  /** Returns the size of the tar. Call it after the last chunk. */
  end(): number {
    this.#scanner.end()
    return this.#bytes
  }

  /** Releases the hasher. */
  release(): void {
    this.#digests?.release()
    this.#digests = undefined
  }
}

function storedBytes(regions: readonly SparseRegion[]): number {
  return regions.reduce((sum, { length }) => sum + length, 0)
}
