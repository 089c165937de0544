import { verifyBytes } from '../digest/index.ts'
import { platformsOf, selectPlatform } from '../image/index.ts'
import { collectBytes } from '../internal/collect-bytes.ts'
import type { RegistryClient } from '../registry/index.ts'
import {
  type Descriptor,
  familiarName,
  formatPlatform,
  hostPlatform,
  type ImageDocument,
  isConfigType,
  isIndexType,
  Limits,
  matchPlatform,
  type Platform,
  parseConfig,
  parseImageDocument,
  type Reference,
} from '../spec/index.ts'
import { readDocument, type Store } from '../store/index.ts'
import { checkIndexDepth, type GraphNode, walkGraph } from './walk-graph.ts'

/** Which part of what a reference stands for is taken. */
interface Chosen {
  readonly root: Descriptor
  readonly platforms: readonly string[]
  readonly leftOut: readonly string[]
}

/** The documents below a reference, from the store where it has them, else from the registry, each read once. */
export class RemoteGraph {
  /** Bytes of the documents that were fetched, by digest. */
  readonly documents = new Map<string, Uint8Array>()
  readonly #registry: RegistryClient
  readonly #store: Store
  readonly #reference: Reference
  readonly #signal: AbortSignal | undefined

  constructor(registry: RegistryClient, store: Store, reference: Reference, signal: AbortSignal | undefined) {
    this.#registry = registry
    this.#store = store
    this.#reference = reference
    this.#signal = signal
  }

  /** What the reference stands for now. One HEAD if the image was pulled before, one GET if not. */
  async resolveRoot(): Promise<Descriptor> {
    const signal = this.#signal
    if (await this.#knowsName()) {
      const descriptor = await this.#registry.resolve(this.#reference, { signal })
      if (await this.#isStored(descriptor)) return descriptor
    }
    const fetched = await this.#registry.fetchManifest(this.#reference, { signal })
    this.documents.set(fetched.descriptor.digest, fetched.bytes)
    return fetched.descriptor
  }

  async #knowsName(): Promise<boolean> {
    const { digest, ...tagged } = this.#reference
    if (digest && (await this.#store.stat(digest, { signal: this.#signal }))) return true
    const name = familiarName(tagged.tag === undefined ? this.#reference : tagged)
    return (await this.#store.references.get(name, { signal: this.#signal })) !== undefined
  }

  async #isStored(descriptor: Descriptor): Promise<boolean> {
    return (await this.#store.stat(descriptor.digest, { signal: this.#signal }))?.size === descriptor.size
  }

  /** Goes down from an index to the image of one platform, or stays there to take them all. */
  async choose(top: Descriptor, platform: Platform | undefined, all: boolean): Promise<Chosen> {
    let root = top
    let leftOut: string[] = []
    let taken: string[] = []
    for (let depth = 0; isIndexType(root.mediaType); depth++) {
      checkIndexDepth(depth, root)
      const document = await this.#document(root)
      if (document.kind !== 'index') break
      const offered = platformsOf(document.index)
      if (all) return { root, platforms: offered, leftOut: [] }
      root = selectPlatform(document.index, platform ?? hostPlatform(), root.digest)
      taken = root.platform ? [formatPlatform(root.platform)] : []
      leftOut = offered.filter(other => !taken.includes(other))
    }
    return { root, platforms: taken, leftOut }
  }

  /** The platform that an image's config names; `undefined` for artifacts. */
  async platformOf(
    root: Descriptor,
  ): Promise<{ platform: Platform; matches: (wanted: Platform) => boolean } | undefined> {
    const document = await this.#document(root)
    if (document.kind !== 'manifest' || !isConfigType(document.manifest.config.mediaType)) return undefined
    const platform: Platform = parseConfig(await this.#config(document.manifest.config))
    return { platform, matches: wanted => matchPlatform(wanted, platform) > 0 }
  }

  /** Everything below a root and the root itself, each once, children before their parents. */
  descend(root: Descriptor): Promise<GraphNode[]> {
    return walkGraph(root, descriptor => this.#document(descriptor))
  }

  async #document(descriptor: Descriptor): Promise<ImageDocument> {
    return parseImageDocument(await this.#documentBytes(descriptor), descriptor.mediaType)
  }

  async #documentBytes(descriptor: Descriptor): Promise<Uint8Array> {
    const known = this.documents.get(descriptor.digest)
    if (known) return known
    if (await this.#isStored(descriptor)) return readDocument(this.#store, descriptor, { signal: this.#signal })
    const { tag: _, ...repository } = this.#reference
    const reference = { ...repository, digest: descriptor.digest }
    const { bytes } = await this.#registry.fetchManifest(reference, { signal: this.#signal })
    this.documents.set(descriptor.digest, bytes)
    return bytes
  }

  async #config(descriptor: Descriptor): Promise<Uint8Array> {
    const signal = this.#signal
    if (await this.#isStored(descriptor)) return readDocument(this.#store, descriptor, { signal })
    const source = this.#registry.fetchBlob(this.#reference, descriptor, { signal })
    const bytes = await collectBytes(verifyBytes(source, descriptor), Limits.configBytes, 'image config bytes')
    this.documents.set(descriptor.digest, bytes)
    return bytes
  }
}
