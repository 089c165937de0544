import { LRUCache } from 'lru-cache'
import { LayerStoreError } from '../../errors/index.ts'
import { platformsOf, readImage, readImageDocument } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, formatPlatform, platformOfConfig } from '../../oci/index.ts'
import type { ReportedStore } from './reported-store.ts'
import type { ListData, ListedImageName } from './site-data.ts'

/** Names in a list. SAFETY: each costs two reads; a store may have any number of names. */
const MOST_NAMES = 1000

type Facts = Omit<ListedImageName, 'name' | 'digest'>

/** Lists the images of a store, and remembers what their documents say. */
export class ImageLister {
  readonly #store: ReportedStore
  readonly #facts = new LRUCache<string, Facts>({ max: 4 * MOST_NAMES })

  constructor(store: ReportedStore) {
    this.#store = store
  }

  /** Resolves to the first names of the store in their order. */
  async list(options: AbortOptions): Promise<Pick<ListData, 'images' | 'more'>> {
    const names: { name: string; descriptor: Descriptor }[] = []
    for await (const { name, descriptor } of this.#store.references.list(options)) names.push({ name, descriptor })
    names.sort((a, b) => (a.name < b.name ? -1 : 1))
    const images: ListedImageName[] = []
    for (const { name, descriptor } of names.slice(0, MOST_NAMES)) {
      images.push({ name, digest: descriptor.digest, ...(await this.#factsOf(descriptor, options)) })
    }
    return { images, more: Math.max(0, names.length - MOST_NAMES) }
  }

  async #factsOf(descriptor: Descriptor, options: AbortOptions): Promise<Facts> {
    const known = this.#facts.get(descriptor.digest)
    if (known) return known
    try {
      const facts = await readFacts(this.#store, descriptor, options)
      this.#facts.set(descriptor.digest, facts)
      return facts
    } catch (error) {
      // One image that cannot be read must not hide the others.
      if (!LayerStoreError.is(error)) throw error
      return { platforms: [], fault: error.message }
    }
  }
}

async function readFacts(store: ReportedStore, descriptor: Descriptor, options: AbortOptions): Promise<Facts> {
  const document = await readImageDocument(store, descriptor, options)
  if (document.kind === 'index') return { platforms: [...new Set(platformsOf(document.index))] }
  const { config, layers } = await readImage(store, descriptor, options)
  const platform = platformOfConfig(config)
  return {
    platforms: platform ? [formatPlatform(platform)] : [],
    blobBytes: layers.reduce((bytes, layer) => bytes + layer.descriptor.size, 0),
    layers: layers.length,
    ...(config.created === undefined ? {} : { created: config.created }),
  }
}
