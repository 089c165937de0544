import type { Credential } from './credential.ts'
import { decodeAuthEntry } from './decode-auth-entry.ts'
import type { AuthFile } from './read-auth-file.ts'
import { runCredentialHelper } from './run-credential-helper.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/** The registry and repository to find credentials for. */
export interface Wanted {
  readonly registry: string
  /** The repository; `undefined` if entries for repositories do not apply. */
  readonly path: string | undefined
}

/**
 * Finds the credentials of one registry in an auth file, in this order:
 *
 * 1. the entries for the repository and the paths above it, longest first
 * 2. the registry's own helper
 * 3. the general helper
 * 4. the registry's entries
 *
 * SAFETY: keys match exactly, those of repositories by whole components. A prefix or suffix match would send the
 * secrets of `ghcr.io` to `ghcr.io.example`, or those of `ghcr.io/team` to `ghcr.io/teammate`.
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

/** Returns podman's keys of a repository and of the paths above it: `host/a/b`, `host/a`. */
function repositoryKeys(registry: string, path: string | undefined): readonly string[] {
  const parts = path === undefined ? [] : path.split('/')
  return parts.map((_, i) => [registry, ...parts.slice(0, parts.length - i)].join('/'))
}

/** Returns the keys under which tools keep a registry: its name, and the URLs that older versions of docker wrote. */
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

/** Docker and skopeo treat `null` and an empty string as no helper. */
function isAbsent(helper: unknown): boolean {
  return helper === undefined || helper === null || helper === ''
}

/** SAFETY: reads own members only. Otherwise a registry called `constructor` would match an inherited member. */
function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
