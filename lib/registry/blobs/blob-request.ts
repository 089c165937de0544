import { type Digest, parseDigest } from '../../digest/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'

/** Where one blob is to be had, and how to ask for it. */
export interface BlobPlace {
  /** What events call it. */
  readonly name: string
  readonly endpoint: RegistryEndpoint
  readonly request: Omit<RegistryRequest, 'expect'>
}

/** A request for a blob of a repository. */
export function blobRequest(
  endpoint: RegistryEndpoint,
  method: 'HEAD' | 'GET',
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Omit<RegistryRequest, 'expect'> {
  return {
    method,
    // SAFETY: the digest becomes part of an address; one that a caller has made by a cast may be anything.
    url: endpoint.url(repository, `blobs/${parseDigest(digest)}`),
    scopes: [`repository:${repository.repository}:pull`],
    notFound: 'ERR_REMOTE_BLOB_NOT_FOUND',
    signal,
  }
}

/**
 * A request for a blob at an address of its descriptor's `urls`.
 *
 * SAFETY: whoever wrote the manifest chose the address. It passes the URL policy, and gets no credentials, not even at
 * the registry itself.
 */
export function foreignRequest(
  endpoint: RegistryEndpoint,
  text: string,
  signal: AbortSignal | undefined,
): Omit<RegistryRequest, 'expect'> {
  const url = endpoint.policy.follow(text, { method: 'GET', url: endpoint.base }, 'foreign layer')
  return { method: 'GET', url, scopes: [], anonymous: true, notFound: 'ERR_REMOTE_BLOB_NOT_FOUND', signal }
}
