import { isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedKind, DerivedStore } from '../derived-store.ts'
import type { CacheRecord } from '../drivers/collection-driver.ts'
import { checkDerivedKey } from '../drivers/derived-key.ts'

interface Kept {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

/** Derived data of a memory store. */
export class MemoryDerived implements DerivedStore {
  readonly #assertOpen: () => void
  readonly #kept = new Map<string, Kept>()

  constructor(assertOpen: () => void) {
    this.#assertOpen = assertOpen
  }

  async get(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<Uint8Array | undefined> {
    const kept = this.#kept.get(this.#place(kind, key, options))
    return kept && Uint8Array.from(kept.bytes)
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    this.#kept.set(this.#place(kind, key, options), { bytes: Uint8Array.from(bytes), modifiedMs: Date.now() })
  }

  async list(kind: DerivedKind, options: AbortOptions = {}): Promise<readonly string[]> {
    const before = this.#place(kind, 'any', options).slice(0, -'any'.length)
    return [...this.#kept.keys()].filter(place => place.startsWith(before)).map(place => place.slice(before.length))
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<void> {
    this.#kept.delete(this.#place(kind, key, options))
  }

  /** The cache records, as a collection asks for them. */
  records(): CacheRecord[] {
    return [...this.#kept].flatMap(([place, { bytes, modifiedMs }]) => {
      if (!place.startsWith('cache/')) return []
      const digests = digestsOf(bytes)
      return digests ? [{ record: place.slice('cache/'.length), digests, modifiedMs }] : []
    })
  }

  /** Removes a cache record unless it was set meanwhile. Returns whether it was removed. */
  forgetRecord(record: string, modifiedMs: number): boolean {
    const place = `cache/${record}`
    return this.#kept.get(place)?.modifiedMs === modifiedMs && this.#kept.delete(place)
  }

  #place(kind: DerivedKind, key: string, options: AbortOptions): string {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    checkDerivedKey(kind, key)
    return `${kind}/${key}`
  }
}

/** The blobs that a record keeps; `undefined` for bytes that are no record. */
function digestsOf(bytes: Uint8Array): CacheRecord['digests'] | undefined {
  try {
    const { blobs } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { blobs?: unknown }
    return Array.isArray(blobs) && blobs.every(isDigest) ? blobs : undefined
  } catch {
    return undefined
  }
}
