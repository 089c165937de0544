import type { RegistryErrorDetails } from '../../errors/index.ts'
import type { Repository } from '../../spec/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { drainAnswer } from '../answers/drain-answer.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import { digestHeader } from '../manifests/manifest-request.ts'

const MAX_MINIMUM_BYTES = 1024 * 1024 * 1024

/** What a new upload is asked with. */
export type StartUploadOptions = Pick<RegistryRequest, 'signal' | 'budget'> & {
  /** Take the blob over from another repository, if possible. */
  readonly mount?: { readonly digest: string; readonly from: string | undefined }
}

/** How an upload began. */
export interface StartedUpload {
  /** Facts for errors. */
  readonly answer: RegistryErrorDetails
  /** Where to send the blob; `undefined` if the registry did not say. */
  readonly location: URL | undefined
  /** Nothing needs to be sent: the blob was mounted. */
  readonly mounted: boolean
  /** Digest that the registry names. */
  readonly digest: string | undefined
  /** Least bytes of every piece but the last. */
  readonly minBytes: number
}

/**
 * Asks the registry for an upload.
 *
 * @throws `RegistryError` `ERR_BLOCKED_URL` if it should go to an address that the URL policy forbids.
 */
export async function startUpload(
  endpoint: RegistryEndpoint,
  repository: Repository,
  { mount, ...options }: StartUploadOptions,
): Promise<StartedUpload> {
  const url = endpoint.url(repository, 'blobs/uploads/')
  if (mount) {
    const from = mount.from === undefined ? '' : `&from=${encodeURIComponent(mount.from)}`
    url.search = `?mount=${encodeURIComponent(mount.digest)}${from}`
  }
  const scopes = [`repository:${repository.repository}:pull,push`]
  if (mount?.from !== undefined) scopes.push(`repository:${mount.from}:pull`)
  const answer = await endpoint.send({
    method: 'POST',
    url,
    scopes,
    body: { size: 0, open: () => [] },
    expect: mount ? [201, 202] : [202],
    ...options,
  })
  await drainAnswer(answer)
  const { location } = answer.headers
  const mounted = answer.status === 201
  return {
    answer: { method: 'POST', url: shownUrl(answer.url), status: answer.status },
    location: location && !mounted ? endpoint.policy.follow(location, answer.url, 'upload location') : undefined,
    mounted,
    digest: digestHeader(answer.headers),
    minBytes: minimum(answer.headers['oci-chunk-min-length']),
  }
}

/** SAFETY: a registry must not talk us into one piece of any size; what a client can hold to is bounded. */
function minimum(header: string | string[] | undefined): number {
  const bytes = typeof header === 'string' && /^\d{1,12}$/.test(header.trim()) ? Number(header) : 0
  return Math.min(bytes, MAX_MINIMUM_BYTES)
}
