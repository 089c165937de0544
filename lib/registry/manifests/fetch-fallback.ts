import type { Digest } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import { type Descriptor, isIndexType, parseIndex, type Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { fallbackTag } from './fallback-tag.ts'
import { fetchManifest } from './fetch-manifest.ts'

/** Fetches the list of referrers under the fallback tag; `undefined` if there is none. */
export async function fetchFallback(
  endpoint: RegistryEndpoint,
  { registry, repository }: Repository,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[] | undefined> {
  try {
    const { descriptor, bytes } = await fetchManifest(
      endpoint,
      { registry, repository, tag: fallbackTag(subject) },
      signal,
    )
    return isIndexType(descriptor.mediaType) ? parseIndex(bytes).manifests : undefined
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_MANIFEST_NOT_FOUND') return undefined
    throw error
  }
}
