import type { Digest } from '../../digest/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { FetchedManifest, RegistryClient } from '../../registry/index.ts'
import type { ImageToVerify } from '../../transfer/index.ts'

/** Reads an image of a registry, and keeps the documents that were read. */
export interface RecordedDocuments extends Pick<RegistryClient, 'fetchManifest' | 'fetchBlob'> {
  /** Describes the image to the function that verifies it, without another look-up of its name. */
  toVerify(reference: string, image: Descriptor, signal: AbortSignal | undefined): Promise<ImageToVerify>

  /** The index that the image was chosen from, if the name is that of an index. */
  indexAbove(image: Descriptor): Digest | undefined
}

/** Wraps a registry client for reading one image. */
export function recordDocuments(registry: RegistryClient): RecordedDocuments {
  const documents = new Map<Digest, FetchedManifest>()
  return {
    async fetchManifest(reference, options) {
      const fetched = await registry.fetchManifest(reference, options)
      documents.set(fetched.descriptor.digest, fetched)
      return fetched
    },
    fetchBlob: (repository, descriptor, options) => registry.fetchBlob(repository, descriptor, options),
    async toVerify(reference, root, signal) {
      // PERF: most builds verify nothing, and this loads the rooms of transfers and registries, a sixth of the code.
      const { imageToVerify, registrySourceEndpoint } = await import('../../transfer/index.ts')
      const known = (digest: Digest) => documents.get(digest)?.bytes
      const source = registrySourceEndpoint(registry, reference)
      return imageToVerify(source, root, { index: this.indexAbove(root), known, signal })
    },
    indexAbove({ digest }) {
      // The name was resolved by the first request.
      const [top] = documents.keys()
      return top === digest ? undefined : top
    },
  }
}
