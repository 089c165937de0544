import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, ImageDocument } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { locate } from '../served-names.ts'
import type { VerifyUpstream } from './upstream-options.ts'

/** Digests that are remembered; the least recently used are verified again. */
const KEPT = 10_000

/** A manifest that the upstream registry has sent. */
interface Received {
  /** Name of the repository in the store. */
  readonly repository: string
  /** Tag that the manifest was looked up by. */
  readonly tag?: string | undefined
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly document: ImageDocument
}

/**
 * Verifies manifests of the upstream registry, and remembers what is below an index that was verified: clients ask for
 * the index first, and then for one image by its digest. SAFETY: digests are kept by repository, because each
 * repository may have a rule of its own.
 */
export class VerifiedManifests {
  readonly #client: RegistryClient
  readonly #verify: VerifyUpstream | undefined
  readonly #below = new LRUCache<string, true>({ max: KEPT })
  readonly #learned = new LRUCache<string, true>({ max: KEPT })

  constructor(client: RegistryClient, verify: VerifyUpstream | undefined) {
    this.#client = client
    this.#verify = verify
  }

  /** Whether {@link learn} has nothing to do for a manifest. */
  hasLearned(repository: string, digest: Digest): boolean {
    return !this.#verify || this.#learned.has(`${repository}@${digest}`)
  }

  /**
   * Learns what is below a manifest of the store that a client asks for by its digest. An index is verified for that,
   * because an earlier process, or another repository, may have brought it.
   */
  async learn(stored: Received, options: AbortOptions): Promise<void> {
    if (stored.document.kind === 'index') await this.check(stored, options)
    this.#learned.set(`${stored.repository}@${stored.descriptor.digest}`, true)
  }

  /** Verifies a manifest; resolves at once if nothing is to be verified. */
  async check(received: Received, { signal }: AbortOptions): Promise<void> {
    if (!this.#verify) return
    const { repository, tag, descriptor, bytes, document } = received
    const key = (digest: string) => `${repository}@${digest}`
    if (tag !== undefined || !this.#below.get(key(descriptor.digest))) {
      const reference = { ...locate(repository), ...(tag === undefined ? {} : { tag }), digest: descriptor.digest }
      const known = (digest: Digest) => (digest === descriptor.digest ? bytes : undefined)
      await this.#verify({ registry: this.#client, reference }, descriptor, { known, signal })
    }
    if (document.kind !== 'index') return
    this.#learned.set(key(descriptor.digest), true)
    for (const { digest } of document.index.manifests) this.#below.set(key(digest), true)
  }
}
