import { type Digest, parseDigest } from '../../digest/index.ts'
import type { Repository } from '../../spec/index.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'

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
