import { type Digest, parseDigest } from '../../digest/index.ts'
import { type Descriptor, MediaType, parseDescriptor, type Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { readPages } from '../lists/read-pages.ts'
import { fetchFallback } from '../manifests/fetch-fallback.ts'
import type { ReferrersOptions } from '../registry-client.ts'

/** Lists the referrers of a manifest; see `RegistryClient.listReferrers`. */
export async function* listReferrers(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  { artifactType, signal }: ReferrersOptions,
): AsyncGenerator<Descriptor, void, undefined> {
  const fits = (descriptor: Descriptor) => artifactType === undefined || descriptor.artifactType === artifactType
  const url = endpoint.url(repository, `referrers/${parseDigest(digest)}`)
  if (artifactType !== undefined) url.searchParams.set('artifactType', artifactType)
  let hasApi = true
  const all = readPages(endpoint, {
    name: 'referrers',
    request: {
      url,
      scopes: [`repository:${repository.repository}:pull`],
      headers: { accept: MediaType.OciIndex },
      signal,
    },
    itemsOf: referrersIn,
    onMissing: () => {
      hasApi = false
    },
  })
  // SPEC: a registry may ignore the filter and reports whether it applied it. Filtering again is simpler than trusting
  // it.
  for await (const descriptor of all) if (fits(descriptor)) yield descriptor
  if (hasApi) return
  const list = await endpoint.within('document', signal, () => fetchFallback(endpoint, repository, digest, signal))
  yield* list?.filter(fits) ?? []
}

function referrersIn(document: unknown): readonly Descriptor[] | undefined {
  const manifests = (document as { manifests?: unknown } | null)?.manifests
  return Array.isArray(manifests) ? manifests.map(value => parseDescriptor(value)) : undefined
}
