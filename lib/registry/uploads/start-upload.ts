import { type Digest, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, FormatError, type RegistryErrorDetails } from '../../errors/index.ts'
import { isRepositoryPath, type Repository } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import { digestHeader } from '../manifests/manifest-request.ts'
import { drainAnswer } from '../transport/drain-answer.ts'

const MAX_MINIMUM_BYTES = 1024 * 1024 * 1024

/** Options of {@link startUpload}. */
export type StartUploadOptions = Pick<RegistryRequest, 'signal' | 'budget' | 'once'> & {
  /** Ask the registry to mount the blob from another repository; without `from`, from any. */
  readonly mount?: { readonly from: string | undefined } | undefined
}

/** Outcome of {@link startUpload}. */
export interface StartedUpload {
  /** Method, URL and status of the answer, for errors. */
  readonly answer: RegistryErrorDetails
  /** URL to send the blob to; `undefined` if the registry named none. */
  readonly location: URL | undefined
  /** True if the registry mounted the blob, so that no byte need be sent. */
  readonly mounted: boolean
  /** Minimum size of every piece but the last, in bytes. */
  readonly minBytes: number
}

/**
 * Opens an upload at the registry.
 *
 * @throws `RegistryError` `ERR_BLOCKED_URL` if the URL policy forbids the upload's URL; `DigestMismatchError` if the
 * registry mounted another blob.
 */
export async function startUpload(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  { mount, ...options }: StartUploadOptions,
): Promise<StartedUpload> {
  const url = endpoint.url(repository, 'blobs/uploads/')
  if (mount?.from !== undefined && !isRepositoryPath(mount.from)) {
    throw new FormatError('ERR_INVALID_REFERENCE', `not a repository: ${JSON.stringify(mount.from)}`)
  }
  if (mount) url.searchParams.set('mount', digest)
  if (mount?.from !== undefined) url.searchParams.set('from', mount.from)
  // SPEC: registries compute sha256 unless `digest-algorithm` names another algorithm (distribution-spec, end-4c).
  const { algorithm } = splitDigest(digest)
  if (algorithm !== 'sha256') url.searchParams.set('digest-algorithm', algorithm)
  const scopes = [`repository:${repository.repository}:pull,push`]
  if (mount?.from !== undefined) scopes.push(`repository:${mount.from}:pull`)
  const answer = await endpoint.send({
    method: 'POST',
    url,
    scopes,
    body: { size: 0, open: () => [] },
    expect: SUCCESS,
    ...options,
  })
  await drainAnswer(answer)
  const { location } = answer.headers
  const asked = { method: 'POST', url: answer.url }
  const mounted = mount !== undefined && answer.status === 201 && !isUpload(location)
  if (mounted) checkMounted(digest, digestHeader(answer.headers))
  return {
    answer: { method: 'POST', url: shownUrl(answer.url), status: answer.status },
    location: location && !mounted ? endpoint.policy.follow(location, asked, 'upload location') : undefined,
    mounted,
    minBytes: minimum(answer.headers['oci-chunk-min-length']),
  }
}

/** Some registries answer 201 to every POST; the URL then shows that they opened an upload. */
function isUpload(location: string | undefined): boolean {
  return /\/blobs\/uploads\/[^/?#]/.test(location ?? '')
}

function checkMounted(expected: Digest, actual: Digest | undefined): void {
  if (actual === undefined || actual === expected) return
  const sameAlgorithm = splitDigest(actual).algorithm === splitDigest(expected).algorithm
  if (sameAlgorithm) throw new DigestMismatchError({ expected, actual, what: 'mounted blob' })
}

/**
 * SAFETY: a registry could demand pieces of any size, which the client would have to send again after a failure. The
 * minimum is bounded.
 */
function minimum(header: string | string[] | undefined): number {
  const bytes = typeof header === 'string' && /^\d{1,12}$/.test(header.trim()) ? Number(header) : 0
  return Math.min(bytes, MAX_MINIMUM_BYTES)
}
