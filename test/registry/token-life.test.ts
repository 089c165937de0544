import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { createFaultyRegistry } from '../../lib/testing/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { startTokenServer } from '../helpers/start-token-server.ts'

const { bytes, descriptor } = sampleBlob(300_000)
const open = async function* () {
  yield bytes
}

describe('a token', () => {
  test('that expires soon is renewed before a body is sent', async () => {
    await using tokens = await startTokenServer({ users: { ann: 'x' }, lifetimeSeconds: 100 })
    await using registry = await createFaultyRegistry({
      challenge: ({ authorization }) => tokens.challenge(authorization, 'repository:a:pull,push'),
    })
    await using client = registryClientFor({ credentials: { [registry.host]: { username: 'ann', password: 'x' } } })
    const to = { registry: registry.host, repository: 'a' }
    await client.pushBlob(to, descriptor, open, { chunkBytes: 100_000 })
    expect(tokens.seen).toHaveLength(1)
    const now = performance.now()
    // 90 s of its life are used; 65 s later 25 s are left.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 65_000)
    try {
      const other = sampleBlob(300_000, 3)
      await client.pushBlob(to, other.descriptor, async function* () {
        yield other.bytes
      })
      expect(tokens.seen).toHaveLength(2)
    } finally {
      clock.mockRestore()
    }
    expect(registry.seen.filter(({ method, received }) => method === 'PUT' && received > 0)).toHaveLength(1)
  })

  test('that expires between pieces costs one refusal and no byte of the blob', async () => {
    await using tokens = await startTokenServer({ users: { ann: 'x' } })
    let patches = 0
    await using registry = await createFaultyRegistry({
      challenge: ({ method, authorization }) => {
        if (method === 'PATCH' && ++patches === 2) tokens.expire()
        return tokens.challenge(authorization, 'repository:a:pull,push')
      },
    })
    await using client = registryClientFor({ credentials: { [registry.host]: { username: 'ann', password: 'x' } } })
    const to = { registry: registry.host, repository: 'a' }
    await client.pushBlob(to, descriptor, open, { chunkBytes: 100_000 })
    expect(tokens.seen).toHaveLength(2)
    expect((await readAll(client.fetchBlob(to, descriptor))).equals(bytes)).toBe(true)
  })
})

describe("podman's keys for repositories", () => {
  const files = (auths: object, docker?: object) => {
    const directory = mkdtempSync(join(tmpdir(), 'layerstore-podman-'))
    writeFileSync(join(directory, 'auth.json'), JSON.stringify({ auths }))
    if (docker) writeFileSync(join(directory, 'config.json'), JSON.stringify({ auths: docker }))
    const environment = { DOCKER_CONFIG: directory, REGISTRY_AUTH_FILE: join(directory, 'auth.json') }
    return { environment, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
  }
  const entry = (user: string) => ({ auth: Buffer.from(`${user}:pw`).toString('base64') })
  /** Tells the callers apart by the repository name in the request. */
  const ask = async (keys: (host: string) => object, repositories: string[], docker?: (host: string) => object) => {
    await using server = await startScriptedRegistry((request, response) =>
      request.headers.authorization
        ? response.writeHead(200, { 'content-length': 1 }).end()
        : response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    )
    using set = files(keys(server.host), docker?.(server.host))
    await using client = registryClientFor({ credentials: undefined, environment: set.environment })
    const names: (string | undefined)[] = []
    for (const repository of repositories) {
      const { length } = server.seen
      await client.statBlob({ registry: server.host, repository }, descriptor.digest).catch(() => {})
      const header = server.seen.slice(length).find(({ headers }) => headers.authorization)?.headers.authorization
      names.push(header && Buffer.from(header.slice(6), 'base64').toString().split(':')[0])
    }
    return names
  }

  test("the longest key that matches whole components takes precedence over the registry's key", async () => {
    const keys = (host: string) => ({
      [host]: entry('all'),
      [`${host}/team`]: entry('team'),
      [`${host}/team/app`]: entry('app'),
    })
    expect(await ask(keys, ['team/app', 'team/app/more', 'team/other', 'teammate/x', 'x'])).toEqual([
      'app',
      'app',
      'team',
      'all',
      'all',
    ])
  })

  test("do not apply in docker's file, nor to another repository", async () => {
    const none = () => ({})
    expect(await ask(none, ['team/app'], host => ({ [`${host}/team`]: entry('team') }))).toEqual([undefined])
    expect(await ask(host => ({ [`${host}/team`]: entry('team') }), ['other'])).toEqual([undefined])
  })

  test('a function that finds credentials receives the repository', async () => {
    await using server = await startScriptedRegistry((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    )
    const asked: unknown[] = []
    await using client = registryClientFor({
      credentials: (registry, { repository }) => {
        asked.push([registry, repository])
        return undefined
      },
    })
    await client.statBlob({ registry: server.host, repository: 'a/b' }, descriptor.digest).catch(() => {})
    const names = client.listRepositories(server.host)
    await names[Symbol.asyncIterator]()
      .next()
      .catch(() => {})
    expect(asked[0]).toEqual([server.host, 'a/b'])
    expect(asked.at(-1)).toEqual([server.host, undefined])
  })
})
