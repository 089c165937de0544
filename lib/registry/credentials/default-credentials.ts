import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Credential } from './credential.ts'
import { findInAuthFile } from './find-in-auth-file.ts'
import { readAuthFile } from './read-auth-file.ts'

/** Where one file of credentials is, and how errors call it: without the path of anyone's home. */
interface Place {
  readonly path: string
  readonly name: string
  /** Whether entries may be for a repository, or for all below a path. */
  readonly byRepository: boolean
}

/**
 * The credentials that docker or podman would use: of docker's config file, then podman's, each with its helpers.
 * A file that is not there is none; one that cannot be read or understood is an error.
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
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR } = environment
  const found: Place[] = []
  if (DOCKER_CONFIG)
    found.push({ path: join(DOCKER_CONFIG, 'config.json'), name: '$DOCKER_CONFIG/config.json', byRepository: false })
  else {
    const path = join(homeOf(environment), '.docker', 'config.json')
    found.push({ path, name: '~/.docker/config.json', byRepository: false })
  }
  if (REGISTRY_AUTH_FILE) found.push({ path: REGISTRY_AUTH_FILE, name: '$REGISTRY_AUTH_FILE', byRepository: true })
  else if (XDG_RUNTIME_DIR) {
    const path = join(XDG_RUNTIME_DIR, 'containers', 'auth.json')
    found.push({ path, name: 'containers/auth.json', byRepository: true })
  }
  return found
}

function homeOf(environment: NodeJS.ProcessEnv): string {
  return environment.HOME || homedir()
}
