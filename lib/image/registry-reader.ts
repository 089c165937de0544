import { verifyBytes } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { collectBytes } from '../internal/collect-bytes.ts'
import {
  type Descriptor,
  isDocumentRole,
  Limits,
  parseReference,
  type Reference,
  type Repository,
  roleOf,
} from '../oci/index.ts'

/** The parts of a registry client that read the documents of an image. A `RegistryClient` has them. */
export interface RegistryReader {
  /** Fetches a manifest or index, and verifies its digest if the reference has one. */
  fetchManifest(
    reference: Reference,
    options?: AbortOptions,
  ): Promise<{
    /** Descriptor of the document. */
    readonly descriptor: Descriptor
    /** The document, byte for byte. */
    readonly bytes: Uint8Array
  }>

  /** Streams a blob; the caller verifies its digest. */
  fetchBlob(repository: Repository, descriptor: Descriptor, options?: AbortOptions): AsyncIterable<Uint8Array>
}

/** Reads a manifest, an index or a config, and verifies its size and digest. */
export type DocumentReader = (descriptor: Descriptor) => Promise<Uint8Array>

/** An image in a registry: its root document, and a reader for the documents below it. */
export interface OpenedRegistryImage {
  readonly root: Descriptor
  readonly repository: Repository
  readonly read: DocumentReader
}

/** True for a registry client, false for a store. */
export function isRegistry(from: object): from is RegistryReader {
  return 'fetchManifest' in from && 'fetchBlob' in from
}

/** Fetches the root document of an image in a registry. */
export async function openRegistryImage(
  registry: RegistryReader,
  reference: string | Reference,
  { signal }: AbortOptions,
): Promise<OpenedRegistryImage> {
  const ref = typeof reference === 'string' ? parseReference(reference) : reference
  const repository = { registry: ref.registry, repository: ref.repository }
  const { descriptor: root, bytes } = await registry.fetchManifest(ref, { signal })
  const read: DocumentReader = async descriptor => {
    const { digest } = descriptor
    if (digest === root.digest) return bytes
    if (isDocumentRole(roleOf(descriptor)))
      return (await registry.fetchManifest({ ...repository, digest }, { signal })).bytes
    // SAFETY: a manifest may state any size for its config; `collectBytes` stops at the limit.
    const content = verifyBytes(registry.fetchBlob(repository, descriptor, { signal }), descriptor)
    return collectBytes(content, Limits.configBytes, `bytes of config ${digest}`)
  }
  return { root, repository, read }
}
