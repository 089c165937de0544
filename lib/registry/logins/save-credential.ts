import { callHelper } from '../credentials/call-helper.ts'
import type { Credential } from '../credentials/credential.ts'
import { dockerConfigPlace } from '../credentials/docker-config-place.ts'
import { helperOf, sectionOf } from '../credentials/helper-of.ts'
import { readAuthFile } from '../credentials/read-auth-file.ts'
import { serverKey } from '../credentials/registry-keys.ts'
import { UnusableCredentials } from '../credentials/unusable-credentials.ts'
import { asLoginError } from './as-login-error.ts'
import { changeDockerConfig, type DockerConfig } from './change-docker-config.ts'

/** Options of {@link saveCredential} and {@link forgetCredential}. */
export interface StoredCredentialOptions {
  /** Variables that name docker's config file and the search path. @defaultValue `process.env` */
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** Stops a credential helper. */
  readonly signal?: AbortSignal | undefined
}

/** A place that holds credentials. */
export interface CredentialPlace {
  /** Name of the credential helper, or of docker's config file, without the home directory. */
  readonly name: string
  /** True if the secret is written as it is, in base64. */
  readonly plain: boolean
}

/**
 * Keeps the credentials of a registry where docker keeps them, so that docker, podman, skopeo, crane and this library
 * find them: with the credential helper that docker's config file names for the registry or in general, else in the
 * file itself, readable by its owner only. A login of the same registry is replaced. The credentials are not checked:
 * see {@link RegistryClient.checkAccess}.
 *
 * @throws {@link RegistryError} `ERR_CREDENTIALS` if the file cannot be read or the helper fails, or the
 * file cannot be written. No error quotes a secret.
 */
export async function saveCredential(
  registry: string,
  credential: Credential,
  options: StoredCredentialOptions = {},
): Promise<CredentialPlace> {
  return asLoginError('LOGIN', registry, () => save(registry, credential, options))
}

async function save(
  registry: string,
  { username = '', password, identityToken }: Credential,
  { environment = process.env, signal }: StoredCredentialOptions,
): Promise<CredentialPlace> {
  const { path, name } = dockerConfigPlace(environment)
  const config = ((await readAuthFile(path, name))?.document ?? {}) as DockerConfig
  const helper = helperOf(config, registry, name)
  const server = serverKey(registry)
  const secret = identityToken ?? password ?? ''
  if (helper === undefined) {
    const auth = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
    const entry = { ...(username ? { auth } : {}), ...(identityToken ? { identitytoken: identityToken } : {}) }
    await changeDockerConfig(environment, before => withEntry(before, name, server, entry))
    return { name, plain: true }
  }
  const user = identityToken === undefined ? username : '<token>'
  const input = JSON.stringify({ ServerURL: server, Username: user, Secret: secret })
  const { failed, program } = await callHelper('store', input, { helper, server, environment, signal })
  if (failed) throw new UnusableCredentials(`${program} could not store the login`)
  // Docker lists registries whose secret a helper keeps by an empty entry.
  await changeDockerConfig(environment, before => withEntry(before, name, server, {}))
  return { name: program, plain: false }
}

function withEntry(config: DockerConfig, name: string, server: string, entry: object): DockerConfig {
  return { ...config, auths: { ...sectionOf(config, 'auths', name), [server]: entry } }
}
