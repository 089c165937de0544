import type { Digest } from '../../../digest/index.ts'
import { asReference, familiarName, formatReference, type Reference } from '../../../oci/index.ts'
import { assertRegistryClient, type RegistryClient } from '../../../registry/index.ts'
import type { TransferSource } from '../transfer-source.ts'
import { fetchIfAny } from './fetch-if-any.ts'

/**
 * An image in a registry, as a source of transfers.
 *
 * @throws {@link FormatError} `ERR_INVALID_REFERENCE`, `ERR_INVALID_ARGUMENT`.
 */
export function registrySourceEndpoint(registry: RegistryClient, reference: string | Reference): TransferSource {
  assertRegistryClient(registry)
  const ref = asReference(reference)
  const repository = { registry: ref.registry, repository: ref.repository }
  const places = registry.sourcesOf(repository)
  return {
    label: `docker://${formatReference(ref)}`,
    name: nameFor(ref),
    repository,
    verifies: false,
    places,
    resolve: options => registry.resolve(ref, options),
    fetchRoot: options => registry.fetchManifest(ref, options),
    readDocument: async ({ digest }, options) =>
      (await registry.fetchManifest({ ...repository, digest }, options)).bytes,
    readBlob: (descriptor, options) => registry.fetchBlob(repository, descriptor, options),
    distrust: (digest: Digest) => registry.distrustBlob(repository, digest),
    referrers: (digest, options) => registry.listReferrers(repository, digest, options),
    tagged: (tag, options) => fetchIfAny(registry, { ...repository, tag }, options),
  }
}

/**
 * If the reference has a tag and a digest, the digest selects the image and the tag gives the name, as in
 * `docker pull`.
 */
function nameFor(reference: Reference): string {
  const { digest, ...rest } = reference
  return familiarName(rest.tag === undefined ? reference : rest)
}
