import { callHelper } from '../credentials/call-helper.ts'
import type { Credential } from '../credentials/credential.ts'
import { dockerConfigPlace } from '../credentials/docker-config-place.ts'
import { helperOf, sectionOf } from '../credentials/helper-of.ts'
import { readAuthFile } from '../credentials/read-auth-file.ts'
import { serverKey } from '../credentials/registry-keys.ts'
import { UnusableCredentials } from '../credentials/unusable-credentials.ts'
import { changeDockerConfig, type DockerConfig } from './change-docker-config.ts'
import type { CredentialPlace, StoredCredentialOptions } from './stored-credential.ts'

/** Keeps a login with the credential helper of a registry, or in docker's config file. */
export async function keepLogin(
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
    await changeDockerConfig(environment, before => withEntry(before, name, server, entry), { signal })
    return { name, plain: true }
  }
  const user = identityToken === undefined ? username : '<token>'
  const input = JSON.stringify({ ServerURL: server, Username: user, Secret: secret })
  const { failed, program } = await callHelper('store', input, { helper, server, environment, signal })
  if (failed) throw new UnusableCredentials(`${program} could not store the login`)
  // Docker lists registries whose secret a helper keeps by an empty entry.
  await changeDockerConfig(environment, before => withEntry(before, name, server, {}), { signal })
  return { name: program, plain: false }
}

function withEntry(config: DockerConfig, name: string, server: string, entry: object): DockerConfig {
  return { ...config, auths: { ...sectionOf(config, 'auths', name), [server]: entry } }
}
