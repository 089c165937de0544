import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import { type Descriptor, Limits } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { ManifestMemory } from './manifest-memory.ts'
import { findManifest } from './proven-document.ts'

/** Largest manifest that is kept in memory. An image of fifty layers has a manifest of 10 KiB. */
const KEPT_BYTES = 64 * 1024
/** Bytes of all manifests that are kept. */
const ALL_KEPT_BYTES = 8 * 1024 * 1024
/** Media types of larger manifests that are kept. */
const KEPT_TYPES = 10_000

/** Manifest of the store, ready to be sent. */
export interface FoundManifest {
  readonly descriptor: Descriptor
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/**
 * Serves the manifests of a store: small ones from memory after the first verified read, large ones as streams. The
 * content of a digest never changes, so only the existence of the blob is checked each time.
 */
export class StoredManifests {
  readonly #store: Store
  readonly #memory: ManifestMemory
  readonly #small = new LRUCache<string, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>({
    maxSize: ALL_KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes.byteLength,
  })
  /** Media types by media type of the name and digest; `no` for a blob that is no manifest. */
  readonly #types = new LRUCache<string, string | 'no'>({ max: KEPT_TYPES })

  constructor(store: Store, memory: ManifestMemory) {
    this.#store = store
    this.#memory = memory
  }

  /** As {@link findManifest}; the body of a large manifest is read and verified while it is sent. */
  async find(
    which: { readonly digest: Digest; readonly mediaType?: string },
    signal: AbortSignal,
  ): Promise<FoundManifest | undefined> {
    const { digest, mediaType } = which
    const info = await this.#store.stat(digest, { signal })
    if (!info || info.size > Limits.manifestBytes) return undefined
    // The media type of the name is part of the key: it decides the type of a document without `mediaType`.
    const key = `${mediaType ?? ''} ${digest}`
    const kept = this.#small.get(key)
    if (kept) return { descriptor: kept.descriptor, body: kept.bytes }
    const type =
      this.#types.get(key) ?? (await this.#memory.during(info.size, signal, () => this.#learn(which, signal)))
    if (type === undefined || type === 'no') return undefined
    const small = this.#small.get(key)
    return { descriptor: { mediaType: type, ...info }, body: small?.bytes ?? this.#store.read(digest, { signal }) }
  }

  /** Reads a manifest and caches its media type, and its bytes if it is small. */
  async #learn(
    which: { readonly digest: Digest; readonly mediaType?: string },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const key = `${which.mediaType ?? ''} ${which.digest}`
    const found = await findManifest(this.#store, which, signal)
    // A blob that was deleted meanwhile may have been a manifest: cache nothing.
    if (!found && !(await this.#store.stat(which.digest, { signal }))) return undefined
    const type = found?.descriptor.mediaType ?? 'no'
    this.#types.set(key, type)
    if (found && found.bytes.byteLength <= KEPT_BYTES) this.#small.set(key, found)
    return type
  }
}
