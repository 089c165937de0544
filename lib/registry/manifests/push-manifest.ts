import { type Digest, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError } from '../../errors/index.ts'
import type { Repository } from '../../spec/index.ts'
import { drainAnswer } from '../answers/drain-answer.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { FetchedManifest } from '../registry-client.ts'
import { digestHeader, manifestRequest } from './manifest-request.ts'

/** Uploads a manifest under its digest and, if given, a tag. Gives the digest under which the registry keeps it. */
export async function pushManifest(
  endpoint: RegistryEndpoint,
  repository: Repository,
  manifest: FetchedManifest,
  tag: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const { digest } = manifest.descriptor
  // A caller may pass a whole reference, whose own tag or digest must not decide here.
  const target = { registry: repository.registry, repository: repository.repository }
  // SPEC: a registry makes a manifest pushed by tag available by its digest too, but it chooses the algorithm.
  const byTagAlone = tag !== undefined && splitDigest(digest).algorithm === 'sha256'
  if (!byTagAlone) await put(endpoint, { ...target, digest }, manifest, signal)
  if (tag !== undefined) await put(endpoint, { ...target, tag }, manifest, signal)
  return digest
}

async function put(
  endpoint: RegistryEndpoint,
  reference: Repository & { readonly tag?: string; readonly digest?: Digest },
  { descriptor, bytes }: FetchedManifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await endpoint.send({
    ...manifestRequest(endpoint, 'GET', reference, signal),
    method: 'PUT',
    scopes: [`repository:${reference.repository}:pull,push`],
    headers: { 'content-type': descriptor.mediaType },
    body: { size: bytes.byteLength, open: () => [bytes] },
    expect: [200, 201, 202, 204],
    notFound: 'ERR_REGISTRY',
  })
  await drainAnswer(answer)
  const kept = digestHeader(answer.headers)
  if (kept === undefined || kept === descriptor.digest) return
  const sameAlgorithm = splitDigest(kept).algorithm === splitDigest(descriptor.digest).algorithm
  if (sameAlgorithm)
    throw new DigestMismatchError({ expected: descriptor.digest, actual: kept, what: 'pushed manifest' })
}
