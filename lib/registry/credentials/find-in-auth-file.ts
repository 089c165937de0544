import type { Credential } from './credential.ts'
import { decodeAuthEntry } from './decode-auth-entry.ts'
import type { AuthFile } from './read-auth-file.ts'
import { runCredentialHelper } from './run-credential-helper.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/** Whose credentials are looked for. */
export interface Wanted {
  readonly registry: string
  /** The repository, where entries for repositories count. */
  readonly path: string | undefined
}

/**
 * The credentials of one registry in an auth file: the entries for the repository and what it lies below, longest first,
 * then the registry's own helper, then the general one, then the registry's entries.
 *
 * SAFETY: keys match exactly, those of repositories by whole components. A prefix or suffix match would hand the secrets
 * of `ghcr.io` to `ghcr.io.example`, or those of `ghcr.io/team` to `ghcr.io/teammate`.
 *
 * @throws `UnusableCredentials`.
 */
export async function findInAuthFile(
  file: AuthFile,
  { registry, path }: Wanted,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  const { document, name } = file
  const entries = section(document, 'auths', name)
  const among = (keys: readonly string[]): Credential | undefined => {
    for (const key of keys) {
      const found = decodeAuthEntry(own(entries, key), name)
      if (found) return found
    }
    return undefined
  }
  const ofRepository = among(repositoryKeys(registry, path))
  if (ofRepository) return ofRepository
  const server = registry === DOCKER_HUB ? DOCKER_HUB_KEY : registry
  const helpers = section(document, 'credHelpers', name)
  const helper = keysOf(registry)
    .map(key => own(helpers, key))
    .find(value => !isAbsent(value))
  for (const program of [helper, own(document, 'credsStore')]) {
    if (isAbsent(program)) continue
    const found = await runCredentialHelper({ helper: program, server, environment, signal })
    if (found) return found
  }
  return among(keysOf(registry))
}

/** `host/a/b`, `host/a`: how podman names single repositories and what lies above them. */
function repositoryKeys(registry: string, path: string | undefined): readonly string[] {
  const parts = path === undefined ? [] : path.split('/')
  return parts.map((_, i) => [registry, ...parts.slice(0, parts.length - i)].join('/'))
}

/** Under which keys the tools keep a registry: plain, and as the addresses that older ones wrote. */
function keysOf(registry: string): readonly string[] {
  const hosts = registry === DOCKER_HUB ? [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'] : [registry]
  const keys = hosts.flatMap(host => [host, ...['', '/', '/v1/', '/v2/'].map(path => `https://${host}${path}`)])
  return registry === DOCKER_HUB ? [DOCKER_HUB_KEY, ...keys] : keys
}

function section(document: object, key: string, name: string): object {
  const value = own(document, key)
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new UnusableCredentials(`${key} in ${name} is not an object`)
  }
  return value
}

/** Docker and skopeo read `null` and an empty string as a helper that is not set. */
function isAbsent(helper: unknown): boolean {
  return helper === undefined || helper === null || helper === ''
}

/** SAFETY: only own members, so that a registry called `constructor` finds nothing. */
function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
