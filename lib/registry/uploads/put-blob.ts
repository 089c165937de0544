import { splitDigest } from '../../digest/index.ts'
import { DigestMismatchError } from '../../errors/index.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import { digestHeader } from '../manifests/manifest-request.ts'
import { drainAnswer } from '../transport/drain-answer.ts'

/** Sends the PUT that closes an upload: with the whole blob, or without a body after its pieces. */
export async function putBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  { digest }: Descriptor,
  location: URL,
  options: Pick<RegistryRequest, 'body' | 'budget' | 'once' | 'signal'>,
): Promise<void> {
  const answer = await endpoint.send({
    method: 'PUT',
    url: withDigest(location, digest),
    scopes: [`repository:${repository.repository}:pull,push`],
    headers: { 'content-type': 'application/octet-stream' },
    expect: SUCCESS,
    ...options,
  })
  await drainAnswer(answer)
  const kept = digestHeader(answer.headers)
  if (kept === undefined || kept === digest) return
  const sameAlgorithm = splitDigest(kept).algorithm === splitDigest(digest).algorithm
  if (sameAlgorithm) throw new DigestMismatchError({ expected: digest, actual: kept, what: 'pushed blob' })
}

/** Appends to the URL's text: `searchParams` would re-encode the rest of the query, which may be signed. */
function withDigest(location: URL, digest: string): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`
  return url
}
