import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import { type Descriptor, Limits } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { ManifestMemory } from './manifest-memory.ts'
import { findManifest } from './proven-document.ts'

/** Manifests up to this size are kept in memory. Images of fifty layers have manifests of 10 KiB. */
const KEPT_BYTES = 64 * 1024
/** Bytes of manifests that are kept. */
const ALL_KEPT_BYTES = 8 * 1024 * 1024
/** Media types of larger manifests that are kept. */
const KEPT_TYPES = 10_000

/** A manifest that the store has. */
export interface FoundManifest {
  readonly descriptor: Descriptor
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}

/**
 * The manifests of the store, as they are served: small ones from memory once they were read and proven, large ones as
 * streams. What a digest stands for never changes; whether the store still has it is asked each time.
 */
export class StoredManifests {
  readonly #store: Store
  readonly #memory: ManifestMemory
  readonly #small = new LRUCache<string, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>({
    maxSize: ALL_KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes.byteLength,
  })
  /** `no` for a blob that is no manifest. */
  readonly #types = new LRUCache<string, string | 'no'>({ max: KEPT_TYPES })

  constructor(store: Store, memory: ManifestMemory) {
    this.#store = store
    this.#memory = memory
  }

  /** As {@link findManifest}; the body of a large manifest is read and verified when it is asked for. */
  async find(
    which: { readonly digest: Digest; readonly mediaType?: string },
    signal: AbortSignal,
  ): Promise<FoundManifest | undefined> {
    const { digest, mediaType } = which
    const info = await this.#store.stat(digest, { signal })
    if (!info || info.size > Limits.manifestBytes) return undefined
    // A document that states no media type is read by the one that its name has.
    const key = `${mediaType ?? ''} ${digest}`
    const kept = this.#small.get(key)
    if (kept) return { descriptor: kept.descriptor, body: kept.bytes }
    const type =
      this.#types.get(key) ?? (await this.#memory.during(info.size, signal, () => this.#learn(which, signal)))
    if (type === undefined || type === 'no') return undefined
    const small = this.#small.get(key)
    return { descriptor: { mediaType: type, ...info }, body: small?.bytes ?? this.#store.read(digest, { signal }) }
  }

  /** Reads a manifest and keeps of it what will be asked for again. */
  async #learn(
    which: { readonly digest: Digest; readonly mediaType?: string },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const key = `${which.mediaType ?? ''} ${which.digest}`
    const found = await findManifest(this.#store, which, signal)
    // It may be gone by now, which says nothing of what it was.
    if (!found && !(await this.#store.stat(which.digest, { signal }))) return undefined
    const type = found?.descriptor.mediaType ?? 'no'
    this.#types.set(key, type)
    if (found && found.bytes.byteLength <= KEPT_BYTES) this.#small.set(key, found)
    return type
  }
}
