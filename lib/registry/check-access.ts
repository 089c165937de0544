import type { RegistryEndpoint } from './endpoint/registry-endpoint.ts'
import { drainAnswer } from './transport/drain-answer.ts'

/**
 * Sends the request that logins are checked with: the address of the API itself, with the credentials that the registry
 * asks for.
 *
 * SPEC: `GET /v2/` answers 200 if the client may use the API (distribution-spec, end-1).
 */
export async function checkAccess(endpoint: RegistryEndpoint, signal: AbortSignal | undefined): Promise<void> {
  const request = { method: 'GET', url: endpoint.address(''), scopes: [], expect: [200], signal }
  await drainAnswer(await endpoint.send(request))
}
