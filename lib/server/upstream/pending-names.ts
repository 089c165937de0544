import { LRUCache } from 'lru-cache'
import { BlobNotFoundError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'

/** Pending names that are kept. A client that takes one platform of an index leaves its name pending for ever. */
const MAX_PENDING = 1000

/**
 * Names of images that are not complete yet. The store accepts a name only for a complete image, and the mirror does
 * not know which request fetches the last blob: so it retries after every fetch. A name that cannot be set fails no
 * request; the error goes to `onError`.
 */
export class PendingNames {
  readonly #store: Store
  readonly #onError: (error: unknown) => void
  readonly #pending = new LRUCache<string, Descriptor>({ max: MAX_PENDING })

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  /** Sets a name at once if the image is complete, or else after the fetch that completes it. */
  async assign(name: string, descriptor: Descriptor): Promise<void> {
    this.#pending.set(name, descriptor)
    await this.#try(name)
  }

  /** Retries the pending names of a repository, after something of it was fetched. */
  async retry(repository: string): Promise<void> {
    const names = [...this.#pending.keys()].filter(name => name.startsWith(`${repository}:`))
    for (const name of names) await this.#try(name)
  }

  async #try(name: string): Promise<void> {
    const descriptor = this.#pending.get(name)
    if (!descriptor) return
    try {
      const now = await this.#store.references.get(name)
      if (now?.digest !== descriptor.digest) await this.#store.references.set(name, descriptor, { anyConfig: true })
      this.#pending.delete(name)
    } catch (error) {
      if (error instanceof BlobNotFoundError) return
      this.#pending.delete(name)
      this.#onError(error)
    }
  }
}
