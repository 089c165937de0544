import { callHelper, type HelperRequest } from './call-helper.ts'
import type { Credential } from './credential.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

/** SPEC: a helper prints exactly this if it has no credentials; the exit status does not tell. */
const NOT_FOUND = 'credentials not found in native keychain'

/**
 * Runs `docker-credential-<name> get`; `undefined` if it has no credentials for the registry.
 *
 * @throws `UnusableCredentials`, which names the helper and never quotes its output.
 */
export async function runCredentialHelper(request: HelperRequest): Promise<Credential | undefined> {
  const { program, failed, output } = await callHelper('get', request.server, request)
  if (!failed) return parseOutput(output, program)
  if (output.trim() === NOT_FOUND) return undefined
  throw new UnusableCredentials(`${program} failed`)
}

function parseOutput(output: string, program: string): Credential | undefined {
  const { Username: username, Secret: secret } = parseObject(output)
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new UnusableCredentials(`${program} did not answer with Username and Secret`)
  }
  if (secret === '') return undefined
  return username === '<token>' ? { identityToken: secret } : { username, password: secret }
}

function parseObject(output: string): { Username?: unknown; Secret?: unknown } {
  try {
    return { ...(JSON.parse(output) as object) }
  } catch {
    // SAFETY: the parse error quotes the secret, so it is dropped.
    return {}
  }
}
