import { type Digest, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, FormatError, type RegistryErrorDetails } from '../../errors/index.ts'
import { isRepositoryPath, type Repository } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import { digestHeader } from '../manifests/manifest-request.ts'
import { drainAnswer } from '../transport/drain-answer.ts'

const MAX_MINIMUM_BYTES = 1024 * 1024 * 1024

/** What a new upload is asked with. */
export type StartUploadOptions = Pick<RegistryRequest, 'signal' | 'budget' | 'once'> & {
  /** Take the blob over from another repository, if possible; without `from`, from any. */
  readonly mount?: { readonly from: string | undefined } | undefined
}

/** How an upload began. */
export interface StartedUpload {
  /** Facts for errors. */
  readonly answer: RegistryErrorDetails
  /** Where to send the blob; `undefined` if the registry did not say. */
  readonly location: URL | undefined
  /** Nothing needs to be sent: the blob was mounted. */
  readonly mounted: boolean
  /** Least bytes of every piece but the last. */
  readonly minBytes: number
}

/**
 * Asks the registry for an upload.
 *
 * @throws `RegistryError` `ERR_BLOCKED_URL` if it should go to an address that the URL policy forbids;
 * `DigestMismatchError` if something else was mounted.
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
  // SPEC: registries compute sha256 unless they are told (distribution-spec, end-4c).
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

/** Registries that answer 201 to every POST say by the address that they opened an upload. */
function isUpload(location: string | undefined): boolean {
  return /\/blobs\/uploads\/[^/?#]/.test(location ?? '')
}

function checkMounted(expected: Digest, actual: Digest | undefined): void {
  if (actual === undefined || actual === expected) return
  const sameAlgorithm = splitDigest(actual).algorithm === splitDigest(expected).algorithm
  if (sameAlgorithm) throw new DigestMismatchError({ expected, actual, what: 'mounted blob' })
}

/** SAFETY: a registry must not talk us into one piece of any size; what a client can hold to is bounded. */
function minimum(header: string | string[] | undefined): number {
  const bytes = typeof header === 'string' && /^\d{1,12}$/.test(header.trim()) ? Number(header) : 0
  return Math.min(bytes, MAX_MINIMUM_BYTES)
}
