import type { Repository } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { drainAnswer } from '../transport/drain-answer.ts'

/** Deletes an item of a repository by its URL; `false` if it did not exist. */
export async function deleteAt(
  endpoint: RegistryEndpoint,
  repository: Repository,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await endpoint.send({
    method: 'DELETE',
    url,
    // SPEC: token services grant `delete` as an action of its own; a service that lacks it omits it from the token.
    scopes: [`repository:${repository.repository}:pull,push,delete`],
    expect: [...SUCCESS, 404],
    signal,
  })
  await drainAnswer(answer)
  return answer.status !== 404
}
