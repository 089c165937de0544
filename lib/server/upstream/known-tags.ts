import { LRUCache } from 'lru-cache'
import { digestOf } from '../../digest/index.ts'
import { type Descriptor, parseDescriptor } from '../../spec/index.ts'
import type { Store } from '../../store/index.ts'

/** A server that stands for a whole registry is asked for many tags; those asked for least are looked up again. */
const KEPT = 10_000

interface KnownTag {
  readonly descriptor: Descriptor
  readonly checkedAt: number
}

/**
 * What the tags of the upstream registry stand for, as far as they were asked for. A name of the store cannot say so before
 * the image is complete, and a client takes one platform of many. Kept as derived data, so that a server that is started
 * while the upstream is down knows it, too.
 */
export class KnownTags {
  readonly #store: Store
  readonly #tags = new LRUCache<string, KnownTag>({ max: KEPT })

  constructor(store: Store) {
    this.#store = store
  }

  /** What a name stood for when it was looked up less than `maxAgeMs` ago. */
  fresh(name: string, maxAgeMs: number): Descriptor | undefined {
    const known = this.#tags.get(name)
    return known && performance.now() - known.checkedAt < maxAgeMs ? known.descriptor : undefined
  }

  /** What a name stood for when it was last looked up. */
  async last(name: string): Promise<Descriptor | undefined> {
    const known = this.#tags.get(name)
    if (known) return known.descriptor
    const bytes = await this.#store.derived.get('facts', await keyOf(name)).catch(() => undefined)
    try {
      return bytes && parseDescriptor(JSON.parse(Buffer.from(bytes).toString('utf8')))
    } catch {
      // Derived data that cannot be read counts as absent.
      return undefined
    }
  }

  /** Keeps what a name was found to stand for. */
  async learn(name: string, descriptor: Descriptor): Promise<void> {
    const known = this.#tags.peek(name)
    this.#tags.set(name, { descriptor, checkedAt: performance.now() })
    if (known?.descriptor.digest === descriptor.digest) return
    const bytes = Buffer.from(JSON.stringify(descriptor))
    // Best effort: without it the tag is unknown after a restart without upstream.
    await this.#store.derived.set('facts', await keyOf(name), bytes).catch(() => {})
  }

  /** Forgets a name that the upstream registry does not have any more. */
  async forget(name: string): Promise<void> {
    this.#tags.delete(name)
    await this.#store.derived.delete('facts', await keyOf(name)).catch(() => {})
  }
}

/** Names have characters that keys cannot have. */
async function keyOf(name: string): Promise<string> {
  return `upstream-tag:${await digestOf(Buffer.from(name))}`
}
