import { type Digest, splitDigest } from '../../digest/index.ts'
import type { Places } from '../places/places.ts'

/**
 * Paths of blobs for one slice of synchronous work.
 *
 * PERF: a path of `Places` costs an `lstat` of each of its directories, twenty for each blob that a collection removes.
 * Here a directory is checked once in each slice of 8 ms.
 */
export class SlicePlaces {
  readonly #places: Places
  readonly #proven = new Map<string, string>()

  constructor(places: Places) {
    this.#places = places
  }

  /** Starts the next slice: a directory that was checked may be a symbolic link by now. */
  renew(): void {
    this.#proven.clear()
  }

  /** The path of a blob. */
  blob(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest)
    return `${this.#directory(`blobs/${algorithm}`)}/${hex}`
  }

  /** The path of a blob in the trash. */
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
