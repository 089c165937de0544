import type { Digest } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { keepIndex, type WatchedLayer, watchLayer } from '../../../layer/index.ts'
import { type Descriptor, isEncryptedLayerType, isForeignLayerType, isLayerType } from '../../../oci/index.ts'
import { recordLayerFact, type Store } from '../../../store/index.ts'

/**
 * Reads layers while they are written to a store, so that a layer that arrives in one piece need not be read again to
 * prove its diffID. If a layer cannot be read this way (only its diffID would tell its format), the next attempt
 * passes it on unwatched.
 */
export class LayerWatch {
  readonly #store: Store
  readonly #refused = new Set<Digest>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Watches a blob from its first byte. Returns `undefined` if the blob is not a layer that can be read. */
  begin(source: AsyncIterable<Uint8Array>, descriptor: Descriptor, { signal }: AbortOptions): WatchedLayer | undefined {
    const { mediaType, digest } = descriptor
    const opens = isLayerType(mediaType) && !isForeignLayerType(mediaType) && !isEncryptedLayerType(mediaType)
    if (!opens || this.#refused.has(digest)) return undefined
    return watchLayer(source, descriptor, { signal })
  }

  /**
   * Tells whether the watch failed, not the source. If so, it marks the layer as unwatched, and the caller fetches the
   * rest of the blob.
   */
  async refuses(watched: WatchedLayer, { digest }: Descriptor, error: unknown): Promise<boolean> {
    const own = await watched.findings.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (own !== error) return false
    this.#refused.add(digest)
    return true
  }

  /** Stores the index and the diffID of a layer. Call it after the blob has been verified and stored. */
  async keep({ findings }: WatchedLayer, { digest }: Descriptor, options: AbortOptions): Promise<void> {
    const { diffId, index } = await findings
    await keepIndex(this.#store.derived, index, options)
    await recordLayerFact(this.#store, { digest, diffId, proven: true })
  }
}
