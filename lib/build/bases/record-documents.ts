import type { Digest } from '../../digest/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { FetchedManifest, RegistryClient } from '../../registry/index.ts'
import { type ImageToVerify, imageToVerify, type TransferSource } from '../../transfer/index.ts'

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
      const [index] = documents.keys()
      return imageToVerify(source, root, { index, known: digest => documents.get(digest)?.bytes, signal })
    },
  }
}
