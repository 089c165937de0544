import type { Repository } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'

/** An aborted call must end within a second. The registry removes an abandoned upload after a while. */
const CANCEL_MS = 1000

/**
 * Cancels an upload at the registry. Never throws: the caller reports the reason for cancelling, and many registries do
 * not support this request.
 */
export async function cancelUpload(endpoint: RegistryEndpoint, repository: Repository, location: URL): Promise<void> {
  try {
    const answer = await endpoint.send({
      method: 'DELETE',
      url: location,
      scopes: [`repository:${repository.repository}:pull,push`],
      expect: SUCCESS,
      once: true,
      signal: AbortSignal.timeout(CANCEL_MS),
    })
    answer.cancel()
  } catch {
    // See above.
  }
}
