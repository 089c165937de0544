import { type Digest, splitDigest } from '../../digest/index.ts'
import type { Places } from '../places/places.ts'

/**
 * Paths of blobs for one slice of synchronous work.
 *
 * PERF: a path of `Places` costs a look at each of its directories, twenty for each blob that a collection removes. Here a
 * directory is proven once in each slice of 8 ms.
 */
export class SlicePlaces {
  readonly #places: Places
  readonly #proven = new Map<string, string>()

  constructor(places: Places) {
    this.#places = places
  }

  /** Begins the next slice: what was proven may be a link now. */
  renew(): void {
    this.#proven.clear()
  }

  /** The path of a blob. */
  blob(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest)
    return `${this.#directory(`blobs/${algorithm}`)}/${hex}`
  }

  /** Where a blob stands on its way out. */
  trashed(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest)
    return `${this.#directory('.layerstore/trash')}/${algorithm}-${hex}`
  }

  #directory(name: string): string {
    const proven = this.#proven.get(name) ?? this.#places.directory(name)
    this.#proven.set(name, proven)
    return proven
  }
}
