import type { Credential } from './credential.ts'
import { credentialsError } from './credentials-error.ts'
import { decodeAuthEntry } from './decode-auth-entry.ts'
import type { AuthFile } from './read-auth-file.ts'
import { runCredentialHelper } from './run-credential-helper.ts'

const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/**
 * The credentials of one registry in an auth file: by its own helper, then the general one, then the file's entries.
 *
 * SAFETY: keys match exactly. A prefix or suffix match would hand the secrets of `ghcr.io` to `ghcr.io.example`.
 *
 * @throws `RegistryError` `ERR_CREDENTIALS`.
 */
export async function findInAuthFile(
  file: AuthFile,
  registry: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  const { document, name } = file
  const server = registry === DOCKER_HUB ? DOCKER_HUB_KEY : registry
  const helpers = section(document, 'credHelpers', name, registry)
  const helper = keysOf(registry)
    .map(key => own(helpers, key))
    .find(value => value !== undefined)
  for (const program of [helper, own(document, 'credsStore')]) {
    if (program === undefined || program === '') continue
    const found = await runCredentialHelper({ helper: program, server, registry, environment, signal })
    if (found) return found
  }
  const entries = section(document, 'auths', name, registry)
  for (const key of keysOf(registry)) {
    const found = decodeAuthEntry(own(entries, key), { registry, file: name })
    if (found) return found
  }
  return undefined
}

/** Under which keys the tools keep a registry: plain, and as the addresses that older ones wrote. */
function keysOf(registry: string): readonly string[] {
  const hosts = registry === DOCKER_HUB ? [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'] : [registry]
  const keys = hosts.flatMap(host => [host, ...['', '/', '/v1/', '/v2/'].map(path => `https://${host}${path}`)])
  return registry === DOCKER_HUB ? [DOCKER_HUB_KEY, ...keys] : keys
}

function section(document: object, key: string, name: string, registry: string): object {
  const value = own(document, key)
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object') throw credentialsError(registry, `${key} in ${name} is not an object`)
  return value
}

/** SAFETY: only own members, so that a registry called `constructor` finds nothing. */
function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
