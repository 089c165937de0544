import type { Repository } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import { uploadedBytes } from './upload-range.ts'

/** Status of an upload at the registry. */
export interface UploadStatus {
  readonly location: URL
  /** Number of bytes that the registry holds; `undefined` if it does not say. */
  readonly held: number | undefined
}

/**
 * Asks the registry for the status of an upload; `undefined` if it has lost the upload or does not answer the question.
 *
 * @param expected - Number of bytes sent.
 */
export async function uploadStatus(
  endpoint: RegistryEndpoint,
  repository: Repository,
  location: URL,
  expected: number,
  options: Pick<RegistryRequest, 'signal' | 'budget'>,
): Promise<UploadStatus | undefined> {
  const answer = await endpoint.send({
    method: 'GET',
    url: location,
    scopes: [`repository:${repository.repository}:pull,push`],
    expect: [...SUCCESS, 400, 404, 405, 410, 501],
    ...options,
  })
  await drainAnswer(answer)
  if (answer.status >= 400) return undefined
  const moved = answer.headers.location
  const asked = { method: 'GET', url: answer.url }
  return {
    location: moved ? endpoint.policy.follow(moved, asked, 'upload location') : location,
    held: uploadedBytes(answer.headers.range, expected),
  }
}
