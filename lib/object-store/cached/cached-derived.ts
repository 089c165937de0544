import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedKind, DerivedStore } from '../../store/index.ts'

/**
 * Derived data of the shared store. Only indexes are kept in the cache too: their keys identify their content, so they
 * never change. Records and facts change, and other machines must see it.
 */
export class CachedDerived implements DerivedStore {
  readonly #cache: DerivedStore
  readonly #shared: DerivedStore

  constructor(cache: DerivedStore, shared: DerivedStore) {
    this.#cache = cache
    this.#shared = shared
  }

  async get(kind: DerivedKind, key: string, options?: AbortOptions): Promise<Uint8Array | undefined> {
    if (kind !== 'indexes') return this.#shared.get(kind, key, options)
    const cached = await this.#cache.get(kind, key, options)
    if (cached) return cached
    const bytes = await this.#shared.get(kind, key, options)
    if (bytes) await this.#keep(key, bytes, options)
    return bytes
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void> {
    await this.#shared.set(kind, key, bytes, options)
    if (kind === 'indexes') await this.#keep(key, bytes, options)
  }

  list(kind: DerivedKind, options?: AbortOptions): Promise<readonly string[]> {
    return this.#shared.list(kind, options)
  }

  async delete(kind: DerivedKind, key: string, options?: AbortOptions): Promise<void> {
    await this.#shared.delete(kind, key, options)
    if (kind === 'indexes') await this.#cache.delete(kind, key, options)
  }

  /** A full disk does not fail what reads or writes the shared store. */
  async #keep(key: string, bytes: Uint8Array, options: AbortOptions | undefined): Promise<void> {
    await this.#cache.set('indexes', key, bytes, options).catch(() => options?.signal?.throwIfAborted())
  }
}
