import { type Digest, verifyBytes } from '../../digest/index.ts'
import { BlobNotFoundError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import {
  type Descriptor,
  isConfigType,
  isDocumentRole,
  Limits,
  parseImageDocument,
  parseReference,
  roleOf,
} from '../../oci/index.ts'
import type { FetchedManifest, RegistryClient } from '../../registry/index.ts'
import { type BlobInfo, createMemoryStore, type DerivedStore, type ReadBlobOptions } from '../../store/index.ts'
import type { ImageBlobs } from './image-blobs.ts'

/**
 * Reads one image of a registry as if it were stored: every read is a request, and nothing is kept but documents in
 * memory. Only blobs that the documents read so far name can be read.
 */
export class RegistryBlobs implements ImageBlobs {
  readonly #registry: RegistryClient
  readonly #reference: ReturnType<typeof parseReference>
  readonly #documents = new Map<string, Uint8Array>()
  readonly #known = new Map<string, Descriptor>()

  constructor(registry: RegistryClient, reference: string) {
    this.#registry = registry
    this.#reference = parseReference(reference)
  }

  /** Layer indexes of this session, in memory. */
  readonly derived: DerivedStore = createMemoryStore().derived

  /** Resolves the reference, whatever name is asked for. The document itself is fetched only when it is read. */
  readonly references = {
    get: async (_name: string, options: AbortOptions = {}): Promise<Descriptor> => {
      const descriptor = await this.#registry.resolve(this.#reference, options)
      this.#known.set(descriptor.digest, descriptor)
      return descriptor
    },
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    const size = this.#documents.get(digest)?.byteLength ?? this.#known.get(digest)?.size
    return size === undefined ? undefined : { digest, size }
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { offset = 0, length = Number.POSITIVE_INFINITY, signal } = options
    const known = this.#known.get(digest)
    const document = this.#documents.get(digest) ?? (known && (await this.#document(known, signal)))
    if (document) return yield document.subarray(offset, offset + length)
    if (!known) throw new BlobNotFoundError(digest)
    const bytes = this.#registry.fetchBlob(this.#reference, known, { offset, signal })
    if (offset > 0 || length < known.size) return yield* firstBytes(bytes, length)
    const verified = verifyBytes(bytes, { digest, size: known.size }, { what: `blob ${digest}` })
    if (!isConfigType(known.mediaType) || known.size > Limits.manifestBytes) return yield* verified
    // A config is parsed and printed: it is fetched once.
    const config = await collectBytes(verified, known.size, `blob ${digest}`)
    this.#documents.set(digest, config)
    yield config
  }

  /** Fetches a manifest or an index; `undefined` for any other blob. */
  async #document(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    if (!isDocumentRole(roleOf(descriptor))) return undefined
    const { registry, repository } = this.#reference
    const reference = { registry, repository, digest: descriptor.digest }
    return this.#keep(await this.#registry.fetchManifest(reference, { signal }))
  }

  #keep({ bytes, descriptor }: FetchedManifest): Uint8Array {
    this.#documents.set(descriptor.digest, bytes)
    const document = parseImageDocument(bytes, descriptor.mediaType)
    const below =
      document.kind === 'index' ? document.index.manifests : [document.manifest.config, ...document.manifest.layers]
    for (const one of below) this.#known.set(one.digest, one)
    return bytes
  }
}

async function* firstBytes(bytes: AsyncIterable<Uint8Array>, length: number) {
  let left = length
  for await (const chunk of bytes) {
    yield left < chunk.byteLength ? chunk.subarray(0, left) : chunk
    left -= chunk.byteLength
    if (left <= 0) return
  }
}
