import { join } from 'node:path'
import type { Credential } from './credential.ts'
import { dockerConfigPlace } from './docker-config-place.ts'
import { findInAuthFile } from './find-in-auth-file.ts'
import { readAuthFile } from './read-auth-file.ts'

/** Path of a credential file and its name in errors, which omits the home directory. */
interface Place {
  readonly path: string
  readonly name: string
  /** True if entries may be for a repository or for all repositories below a path. */
  readonly byRepository: boolean
}

/**
 * Finds the credentials that docker or podman would use: those of docker's config file, then those of podman's, each
 * with its helpers. A missing file has no credentials; a file that cannot be read or parsed is an error.
 *
 * @throws `UnusableCredentials`.
 */
export async function defaultCredentials(
  registry: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
  repository?: string | undefined,
): Promise<Credential | undefined> {
  for (const place of places(environment)) {
    const file = await readAuthFile(place.path, place.name)
    const credential =
      file &&
      (await findInAuthFile(file, { registry, path: place.byRepository ? repository : undefined }, environment, signal))
    if (credential) return credential
  }
  return undefined
}

function places(environment: NodeJS.ProcessEnv): readonly Place[] {
  const { REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR } = environment
  const found: Place[] = [{ ...dockerConfigPlace(environment), byRepository: false }]
  if (REGISTRY_AUTH_FILE) found.push({ path: REGISTRY_AUTH_FILE, name: '$REGISTRY_AUTH_FILE', byRepository: true })
  else if (XDG_RUNTIME_DIR) {
    const path = join(XDG_RUNTIME_DIR, 'containers', 'auth.json')
    found.push({ path, name: 'containers/auth.json', byRepository: true })
  }
  return found
}
