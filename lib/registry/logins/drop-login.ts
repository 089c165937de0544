import { callHelper } from '../credentials/call-helper.ts'
import { dockerConfigPlace } from '../credentials/docker-config-place.ts'
import { helperOf, sectionOf } from '../credentials/helper-of.ts'
import { readAuthFile } from '../credentials/read-auth-file.ts'
import { keysOf, serverKey } from '../credentials/registry-keys.ts'
import { runCredentialHelper } from '../credentials/run-credential-helper.ts'
import { UnusableCredentials } from '../credentials/unusable-credentials.ts'
import { changeDockerConfig, type DockerConfig } from './change-docker-config.ts'
import type { StoredCredentialOptions } from './stored-credential.ts'

/** Removes a login from the credential helper of a registry and from docker's config file. */
export async function dropLogin(
  registry: string,
  { environment = process.env, signal }: StoredCredentialOptions,
): Promise<boolean> {
  const { path, name } = dockerConfigPlace(environment)
  const config = ((await readAuthFile(path, name))?.document ?? {}) as DockerConfig
  const helper = helperOf(config, registry, name)
  const erased = helper === undefined ? false : await erase(helper, registry, environment, signal)
  let removed = false
  await changeDockerConfig(
    environment,
    before => {
      const auths = sectionOf(before, 'auths', name)
      const kept = Object.entries(auths).filter(([key]) => !keysOf(registry).includes(key))
      removed = kept.length < Object.keys(auths).length
      return removed ? { ...before, auths: Object.fromEntries(kept) } : undefined
    },
    { signal },
  )
  return erased || removed
}

async function erase(
  helper: unknown,
  registry: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const server = serverKey(registry)
  const request = { helper, server, environment, signal }
  if (!(await runCredentialHelper(request))) return false
  const { failed, program } = await callHelper('erase', server, request)
  if (failed) throw new UnusableCredentials(`${program} could not erase the login`)
  return true
}
