import { LRUCache } from 'lru-cache'
import { digestOf } from '../../digest/index.ts'
import { type Descriptor, parseDescriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'

/** Tags kept in memory; the least recently used are dropped and looked up again. */
const KEPT = 10_000

interface KnownTag {
  readonly descriptor: Descriptor
  readonly checkedAt: number
}

/**
 * Remembers the tags of the upstream registry that were looked up. The names of the store cannot do that: a name is set
 * only when its image is complete, and a client takes one platform of many. The tags are saved as derived data as well,
 * for a server that starts while the upstream registry is down.
 */
export class KnownTags {
  readonly #store: Store
  readonly #kind: string
  readonly #tags = new LRUCache<string, KnownTag>({ max: KEPT })

  /** @param areVerified - Tags of servers that verify nothing count as unknown. */
  constructor(store: Store, { areVerified }: { readonly areVerified: boolean }) {
    this.#store = store
    this.#kind = areVerified ? 'verified-tag' : 'upstream-tag'
  }

  /** Target of a tag, if it was looked up less than `maxAgeMs` ago. */
  fresh(name: string, maxAgeMs: number): Descriptor | undefined {
    const known = this.#tags.get(name)
    return known && performance.now() - known.checkedAt < maxAgeMs ? known.descriptor : undefined
  }

  /** Target of a tag at its last look-up. */
  async last(name: string): Promise<Descriptor | undefined> {
    const known = this.#tags.get(name)
    if (known) return known.descriptor
    const bytes = await this.#store.derived.get('facts', await this.#keyOf(name)).catch(() => undefined)
    try {
      return bytes && parseDescriptor(JSON.parse(Buffer.from(bytes).toString('utf8')))
    } catch {
      // Unreadable derived data counts as absent.
      return undefined
    }
  }

  /** Records the target of a tag. */
  async learn(name: string, descriptor: Descriptor): Promise<void> {
    const known = this.#tags.peek(name)
    this.#tags.set(name, { descriptor, checkedAt: performance.now() })
    if (known?.descriptor.digest === descriptor.digest) return
    const bytes = Buffer.from(JSON.stringify(descriptor))
    // Best effort: without the record, the tag is unknown after a restart while the upstream registry is down.
    await this.#store.derived.set('facts', await this.#keyOf(name), bytes).catch(() => {})
  }

  /** Forgets a tag that the upstream registry no longer has. */
  async forget(name: string): Promise<void> {
    this.#tags.delete(name)
    await this.#store.derived.delete('facts', await this.#keyOf(name)).catch(() => {})
  }

  /** Key for the derived data of a tag; it is hashed because a name has characters that keys must not have. */
  async #keyOf(name: string): Promise<string> {
    return `${this.#kind}:${await digestOf(Buffer.from(name))}`
  }
}
