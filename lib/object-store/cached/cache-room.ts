import type { Digest } from '../../digest/index.ts'
import { driverOf, type Store, type StoredBlob } from '../../store/index.ts'

/** Share of the limit that is kept when room is made, so that the next blob does not make room again. */
const KEPT_SHARE = 0.9
/** Least time between two notes of the use of one blob. */
const NOTE_MS = 60_000

/**
 * Keeps a cache below a number of bytes: removes the blobs that were used longest ago. Their time is that of the store,
 * which each use renews, so all processes that use the cache agree on it.
 */
export class CacheRoom {
  readonly maxBytes: number
  readonly #cache: Store
  /** Time of the last use by this process. */
  readonly #used = new Map<Digest, number>()
  /** Bytes of all blobs at the last look. */
  #bytes: number | undefined
  #added = 0
  #making: Promise<void> | undefined

  constructor(cache: Store, maxBytes: number) {
    this.#cache = cache
    this.maxBytes = maxBytes
  }

  /** Notes that a blob is used now. */
  async use(digest: Digest): Promise<void> {
    if (this.maxBytes === Number.POSITIVE_INFINITY) return
    const now = Date.now()
    if (now - (this.#used.get(digest) ?? 0) < NOTE_MS) return
    this.#used.set(digest, now)
    await this.#cache.leases.touch(digest).catch(() => undefined)
  }

  /** Counts a new blob, and makes room if the cache holds too much. Never rejects: a cache that is too large works. */
  async add(size: number): Promise<void> {
    if (this.maxBytes === Number.POSITIVE_INFINITY) return
    this.#added += size
    const isKnown = this.#bytes !== undefined && this.#bytes + this.#added <= this.maxBytes
    // Other processes add blobs too.
    if (isKnown && this.#added <= this.maxBytes * (1 - KEPT_SHARE)) return
    this.#making ??= this.#makeRoom()
      .catch(() => undefined)
      .finally(() => {
        this.#making = undefined
      })
    await this.#making
  }

  async #makeRoom(): Promise<void> {
    const { collection } = driverOf(this.#cache)
    // One process at a time: two would remove twice as much.
    await (collection ? collection.alone(() => this.#evict()) : this.#evict())
  }

  async #evict(): Promise<void> {
    this.#added = 0
    const blobs = await this.#blobs()
    this.#bytes = blobs.reduce((sum, { size }) => sum + size, 0)
    if (this.#bytes <= this.maxBytes || (await this.#hasNames())) return
    const held = await this.#held()
    for (const { digest, size } of blobs.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      if (this.#bytes <= this.maxBytes * KEPT_SHARE) break
      if (held.has(digest)) continue
      await this.#cache.delete(digest)
      this.#used.delete(digest)
      this.#bytes -= size
    }
    for (const key of await this.#cache.derived.list('indexes')) await this.#cache.derived.delete('indexes', key)
  }

  /** SAFETY: a store with names is not only a cache; removing blobs would break its images. */
  async #hasNames(): Promise<boolean> {
    for await (const _ of this.#cache.references.list()) return true
    return false
  }

  async #held(): Promise<ReadonlySet<Digest>> {
    const held = new Set<Digest>()
    for await (const { digests } of this.#cache.leases.list()) for (const digest of digests) held.add(digest)
    return held
  }

  /** A store without times is ordered by the uses of this process. */
  async #blobs(): Promise<StoredBlob[]> {
    const { collection } = driverOf(this.#cache)
    const blobs: StoredBlob[] = []
    if (collection) for await (const batch of collection.blobs()) blobs.push(...batch)
    else {
      for await (const blob of this.#cache.list()) blobs.push({ ...blob, modifiedMs: this.#used.get(blob.digest) ?? 0 })
    }
    return blobs
  }
}
