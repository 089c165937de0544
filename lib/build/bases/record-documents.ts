import type { Digest } from '../../digest/index.ts'
import { type Descriptor, MediaType, parseImageDocument } from '../../oci/index.ts'
import type { FetchedManifest, RegistryClient } from '../../registry/index.ts'
import type { ImageToVerify, TransferSource } from '../../transfer/index.ts'

/** Verifies an image that a build is about to use. */
export type VerifyBase = (image: ImageToVerify) => Promise<void>

/** Reads an image of a registry, and keeps the documents that were read. */
export interface RecordedDocuments extends Pick<RegistryClient, 'fetchManifest' | 'fetchBlob'> {
  /** Describes the image to the function that verifies it, without another look-up of its name. */
  toVerify(source: TransferSource, image: Descriptor, signal: AbortSignal | undefined): ImageToVerify
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
    toVerify(source, root, signal) {
      // The name was resolved by the first request.
      const [top] = documents.keys()
      return {
        source,
        root,
        index: top === root.digest ? undefined : top,
        signal,
        async read(digest) {
          const known = documents.get(digest)?.bytes
          const wanted = { mediaType: MediaType.OciIndex, digest, size: 0 }
          return parseImageDocument(known ?? (await source.readDocument(wanted, { signal })))
        },
      }
    },
  }
}
