import { type Digest, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError } from '../../errors/index.ts'
import type { Reference } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { FetchedManifest } from '../registry-client.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import { digestHeader, manifestRequest } from './manifest-request.ts'

/** Answer of a registry that accepted a manifest. */
export interface PutManifest {
  /** Tags that the registry set in addition to the name in the URL. */
  readonly tags: readonly string[]
  /** True if the registry maintains the referrers of the manifest's subject. */
  readonly keepsReferrers: boolean
}

/** Sends a manifest once, to its tag or digest, with further tags for registries that support several. */
export async function putManifest(
  endpoint: RegistryEndpoint,
  reference: Reference,
  { descriptor, bytes }: FetchedManifest,
  { tags = [], signal }: { readonly tags?: readonly string[]; readonly signal: AbortSignal | undefined },
): Promise<PutManifest> {
  const request = manifestRequest(endpoint, 'GET', reference, signal)
  for (const tag of tags) request.url.searchParams.append('tag', tag)
  const answer = await endpoint.send({
    ...request,
    method: 'PUT',
    scopes: [`repository:${reference.repository}:pull,push`],
    headers: { 'content-type': descriptor.mediaType },
    body: { size: bytes.byteLength, open: () => [bytes] },
    expect: SUCCESS,
    notFound: 'ERR_REGISTRY',
  })
  await drainAnswer(answer)
  checkKept(descriptor.digest, digestHeader(answer.headers))
  const set = [answer.headers['oci-tag'] ?? []]
    .flat()
    .join(',')
    .split(/[\s,]+/)
  return { tags: set, keepsReferrers: answer.headers['oci-subject'] !== undefined }
}

function checkKept(expected: Digest, kept: Digest | undefined): void {
  if (kept === undefined || kept === expected) return
  const sameAlgorithm = splitDigest(kept).algorithm === splitDigest(expected).algorithm
  if (sameAlgorithm) throw new DigestMismatchError({ expected, actual: kept, what: 'pushed manifest' })
}
