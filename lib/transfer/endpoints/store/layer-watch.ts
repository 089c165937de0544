import type { Digest } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { keepIndex, type WatchedLayer, watchLayer } from '../../../layer/index.ts'
import { type Descriptor, isEncryptedLayerType, isForeignLayerType, isLayerType } from '../../../oci/index.ts'
import { recordLayerFact, type Store } from '../../../store/index.ts'

/**
 * Looks into layers on their way into a store, so that those that come whole need not be opened again to prove their
 * diffIDs. What cannot be read this way (what it is, only its diffID could tell) is passed on unwatched with the next try.
 */
export class LayerWatch {
  readonly #store: Store
  readonly #refused = new Set<Digest>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Watches a blob that comes from its first byte; `undefined` if it is none to look into. */
  begin(source: AsyncIterable<Uint8Array>, descriptor: Descriptor, { signal }: AbortOptions): WatchedLayer | undefined {
    const { mediaType, digest } = descriptor
    const opens = isLayerType(mediaType) && !isForeignLayerType(mediaType) && !isEncryptedLayerType(mediaType)
    if (!opens || this.#refused.has(digest)) return undefined
    return watchLayer(source, descriptor, { signal })
  }

  /** Whether a failure was that of looking, not that of the source; then the blob is to come once more, from where it is. */
  async refuses(watched: WatchedLayer, { digest }: Descriptor, error: unknown): Promise<boolean> {
    const own = await watched.findings.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (own !== error) return false
    this.#refused.add(digest)
    return true
  }

  /** Keeps what was found. To be called when the bytes are proven and stored. */
  async keep({ findings }: WatchedLayer, { digest }: Descriptor, options: AbortOptions): Promise<void> {
    const { diffId, index } = await findings
    await keepIndex(this.#store.derived, index, options)
    await recordLayerFact(this.#store, { digest, diffId, proven: true })
  }
}
