import { LRUCache } from 'lru-cache'
import { BlobNotFoundError } from '../../errors/index.ts'
import type { Descriptor } from '../../spec/index.ts'
import type { Store } from '../../store/index.ts'

/** A client that takes one platform of an index leaves its name waiting for ever. */
const WAITING = 1000

/**
 * Names for images that are still coming. The store gives a name only to an image that is complete; which request brings
 * the last of its blobs is not known beforehand. A name that cannot be set fails no request: it goes to `onError`.
 */
export class WaitingNames {
  readonly #store: Store
  readonly #onError: (error: unknown) => void
  readonly #waiting = new LRUCache<string, Descriptor>({ max: WAITING })

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  /** Gives a name to an image, now if it is complete, or as soon as it is. */
  async want(name: string, descriptor: Descriptor): Promise<void> {
    this.#waiting.set(name, descriptor)
    await this.#try(name)
  }

  /** Looks again, now that something of a repository has come. */
  async retry(repository: string): Promise<void> {
    const names = [...this.#waiting.keys()].filter(name => name.startsWith(`${repository}:`))
    for (const name of names) await this.#try(name)
  }

  async #try(name: string): Promise<void> {
    const descriptor = this.#waiting.get(name)
    if (!descriptor) return
    try {
      const now = await this.#store.references.get(name)
      if (now?.digest !== descriptor.digest) await this.#store.references.set(name, descriptor)
      this.#waiting.delete(name)
    } catch (error) {
      if (error instanceof BlobNotFoundError) return
      this.#waiting.delete(name)
      this.#onError(error)
    }
  }
}
