import type { Repository } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { drainAnswer } from '../transport/drain-answer.ts'

/** Deletes what a repository has at an address; `false` if there was nothing. */
export async function deleteAt(
  endpoint: RegistryEndpoint,
  repository: Repository,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await endpoint.send({
    method: 'DELETE',
    url,
    // SPEC: token services name the right to delete apart; those that do not know it leave it out of the token.
    scopes: [`repository:${repository.repository}:pull,push,delete`],
    expect: [...SUCCESS, 404],
    signal,
  })
  await drainAnswer(answer)
  return answer.status !== 404
}
