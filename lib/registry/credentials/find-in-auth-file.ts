import type { Credential } from './credential.ts'
import { decodeAuthEntry } from './decode-auth-entry.ts'
import { isNoHelper, memberOf, sectionOf } from './helper-of.ts'
import type { AuthFile } from './read-auth-file.ts'
import { keysOf, serverKey } from './registry-keys.ts'
import { runCredentialHelper } from './run-credential-helper.ts'

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
  const entries = sectionOf(document, 'auths', name)
  const among = (keys: readonly string[]): Credential | undefined => {
    for (const key of keys) {
      const found = decodeAuthEntry(memberOf(entries, key), name)
      if (found) return found
    }
    return undefined
  }
  const ofRepository = among(repositoryKeys(registry, path))
  if (ofRepository) return ofRepository
  const server = serverKey(registry)
  const helpers = sectionOf(document, 'credHelpers', name)
  const helper = keysOf(registry)
    .map(key => memberOf(helpers, key))
    .find(value => !isNoHelper(value))
  for (const program of [helper, memberOf(document, 'credsStore')]) {
    if (isNoHelper(program)) continue
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
