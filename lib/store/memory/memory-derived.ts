import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedKind, DerivedStore } from '../derived-store.ts'
import { checkDerivedKey } from '../drivers/derived-key.ts'

/** Derived data of a memory store. */
export class MemoryDerived implements DerivedStore {
  readonly #assertOpen: () => void
  readonly #kept = new Map<string, Uint8Array>()

  constructor(assertOpen: () => void) {
    this.#assertOpen = assertOpen
  }

  async get(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<Uint8Array | undefined> {
    const bytes = this.#kept.get(this.#place(kind, key, options))
    return bytes && Uint8Array.from(bytes)
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    this.#kept.set(this.#place(kind, key, options), Uint8Array.from(bytes))
  }

  async list(kind: DerivedKind, options: AbortOptions = {}): Promise<readonly string[]> {
    const before = this.#place(kind, 'any', options).slice(0, -'any'.length)
    return [...this.#kept.keys()].filter(place => place.startsWith(before)).map(place => place.slice(before.length))
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<void> {
    this.#kept.delete(this.#place(kind, key, options))
  }

  #place(kind: DerivedKind, key: string, options: AbortOptions): string {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    checkDerivedKey(kind, key)
    return `${kind}/${key}`
  }
}
