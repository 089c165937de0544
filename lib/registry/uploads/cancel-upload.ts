import type { Repository } from '../../oci/index.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'

/** An aborted call has to end within a second; what is left behind then, the registry drops after a while. */
const CANCEL_MS = 1000

/**
 * Tells the registry that an upload is given up. Never throws: the reason for giving up is what the caller has to report,
 * and many registries do not support this at all.
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
