import { type Digest, parseDigest } from '../../digest/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'

/** A source of one blob with the request to send to it. */
export interface BlobPlace {
  /** Name of the source in events. */
  readonly name: string
  readonly endpoint: RegistryEndpoint
  readonly request: Omit<RegistryRequest, 'expect'>
}

/** Builds the request for a blob of a repository. */
export function blobRequest(
  endpoint: RegistryEndpoint,
  method: 'HEAD' | 'GET',
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Omit<RegistryRequest, 'expect'> {
  return {
    method,
    // SAFETY: a caller may have cast any string to a digest, and it becomes part of the URL. `parseDigest` checks it.
    url: endpoint.url(repository, `blobs/${parseDigest(digest)}`),
    scopes: [`repository:${repository.repository}:pull`],
    notFound: 'ERR_REMOTE_BLOB_NOT_FOUND',
    signal,
  }
}

/**
 * Builds the request for a blob at a URL of its descriptor's `urls`.
 *
 * SAFETY: the author of the manifest chose the URL. It must pass the URL policy, and the request carries no
 * credentials, not even to the registry itself.
 */
export function foreignRequest(
  endpoint: RegistryEndpoint,
  text: string,
  signal: AbortSignal | undefined,
): Omit<RegistryRequest, 'expect'> {
  const url = endpoint.policy.follow(text, { method: 'GET', url: endpoint.base }, 'foreign layer')
  return { method: 'GET', url, scopes: [], anonymous: true, notFound: 'ERR_REMOTE_BLOB_NOT_FOUND', signal }
}
