import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Credential } from '../../lib/registry/index.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startDockerRegistry } from '../helpers/start-docker-registry.ts'
import { startTokenServer, type TokenServerOptions } from '../helpers/start-token-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const here = needsProgram('docker-registry')
const { bytes, descriptor } = sampleBlob(300_000)
const open = async function* () {
  yield bytes
}

/**
 * Pushes a blob to a docker-registry with a token service and pulls it back; resolves to the requests of the service.
 */
const roundTrip = async (credential: Credential | undefined, options: TokenServerOptions) => {
  using directory = temporaryDirectory('token-service')
  await using service = await startTokenServer(options)
  const bundle = join(directory.path, 'bundle.pem')
  writeFileSync(bundle, service.cert)
  await using docker = await startDockerRegistry({
    settings: {
      REGISTRY_AUTH: 'token',
      REGISTRY_AUTH_TOKEN_REALM: service.realm,
      REGISTRY_AUTH_TOKEN_SERVICE: 'registry.test',
      REGISTRY_AUTH_TOKEN_ISSUER: 'layerstore-test',
      REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE: bundle,
    },
  })
  await using registry = registryClientFor({ credentials: credential ? { [docker.host]: credential } : false })
  const from = { registry: docker.host, repository: 'team/base' }
  const to = { registry: docker.host, repository: 'team/app' }
  const act = async () => {
    await registry.pushBlob(from, descriptor, open, { chunkBytes: 100_000 })
    const mounted = await registry.mountBlob(to, descriptor.digest, 'team/base')
    const same = (await readAll(registry.fetchBlob(to, descriptor))).equals(bytes)
    return { mounted, same, deleted: await registry.deleteBlob(to, descriptor.digest) }
  }
  const result = await act().catch((error: unknown) => ({ error }))
  return { result, seen: service.seen }
}

describe.runIf(here)('docker-registry with a token service', () => {
  const ann = { users: { ann: 'secret' }, refreshTokens: { 'long-lived': 'ann' } }

  test('accepts a password, and gives one token per set of scopes', async () => {
    const { result, seen } = await roundTrip({ username: 'ann', password: 'secret' }, ann)
    expect(result).toEqual({ mounted: true, same: true, deleted: true })
    expect(seen.map(({ method, account, scopes }) => [method, account, ...scopes])).toEqual([
      ['GET', 'ann', 'repository:team/base:pull,push'],
      ['GET', 'ann', 'repository:team/app:pull,push', 'repository:team/base:pull'],
      ['GET', 'ann', 'repository:team/app:pull'],
      ['GET', 'ann', 'repository:team/app:pull,push,delete'],
    ])
    expect(seen.every(({ service }) => service === 'registry.test')).toBe(true)
  })

  test('accepts a password by OAuth2 if the service has no GET', async () => {
    const { result, seen } = await roundTrip({ username: 'ann', password: 'secret' }, { ...ann, ways: ['POST'] })
    expect(result).toMatchObject({ same: true })
    expect(seen.slice(0, 2)).toMatchObject([{ method: 'GET' }, { method: 'POST', grant: 'password', account: 'ann' }])
  })

  test('accepts an identity token', async () => {
    const { result, seen } = await roundTrip({ username: 'ann', identityToken: 'long-lived' }, ann)
    expect(result).toMatchObject({ same: true })
    expect(seen[0]).toMatchObject({ method: 'POST', grant: 'refresh_token', account: 'ann' })
  })

  test('accepts an identity token as a password if the service has no POST', async () => {
    const users = { ann: 'long-lived' }
    const { result } = await roundTrip({ username: 'ann', identityToken: 'long-lived' }, { users, ways: ['GET'] })
    expect(result).toMatchObject({ same: true })
  })

  test('refuses a wrong password once, without another attempt', async () => {
    const { result, seen } = await roundTrip({ username: 'ann', password: 'guess' }, ann)
    expect(result).toMatchObject({ error: { code: 'ERR_UNAUTHORIZED', status: 401 } })
    expect(seen).toHaveLength(1)
  })

  test('refuses a push without credentials', async () => {
    const { result } = await roundTrip(undefined, ann)
    expect(result).toMatchObject({ error: { code: 'ERR_UNAUTHORIZED' } })
  })
})
