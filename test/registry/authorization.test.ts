import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { MediaType } from '../../lib/oci/index.ts'
import type { RegistryClientOptions } from '../../lib/registry/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { descriptorOf } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const bytes = Buffer.from(
  JSON.stringify({ schemaVersion: 2, config: descriptorOf(Buffer.from('{}'), MediaType.OciConfig), layers: [] }),
)
const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const manifest = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': MediaType.OciManifest }).end(bytes)
const challenge = (request: IncomingMessage, more = '') => ({
  'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="test"${more}`,
})

/** A registry with its own token service; `tokens` answers what is asked of that. */
const start = (tokens: Script, isGood: (authorization: string | undefined) => boolean = a => a === 'Bearer good') =>
  startScriptedRegistry((request, response, number) => {
    if (request.url!.startsWith('/token')) return tokens(request, response, number)
    if (isGood(request.headers.authorization)) return manifest(response)
    return response.writeHead(401, challenge(request)).end('{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}')
  })
const fetchAll = async (
  server: { host: string; seen: { method: string; path: string }[] },
  options: RegistryClientOptions = {},
  repositories = ['a'],
) => {
  await using registry = registryClientFor(options)
  const fetch = (repository: string) => registry.fetchManifest({ registry: server.host, repository, tag: 'v' })
  const results = await Promise.all(
    repositories.map(repository =>
      fetch(repository).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  )
  const again = await fetch(repositories[0]!).catch((error: unknown) => error)
  return { error: results.find(result => result !== undefined), again }
}
const paths = (server: { seen: { path: string }[] }) => server.seen.map(({ path }) => path)

describe('bearer tokens', () => {
  test('HT-01: are requested anonymously, with the needed scope, and cached', async () => {
    await using server = await start((_, response) => json(response, 200, { token: 'good', expires_in: 300 }))
    expect((await fetchAll(server)).error).toBeUndefined()
    expect(paths(server)).toEqual([
      '/v2/a/manifests/v',
      '/token?service=test&scope=repository%3Aa%3Apull',
      '/v2/a/manifests/v',
      '/v2/a/manifests/v',
    ])
    expect(server.seen[1]!.headers.authorization).toBeUndefined()
  })

  test('go to the token service with the password of this registry, and not of another', async () => {
    await using server = await start((_, response) => json(response, 200, { access_token: 'good' }))
    const credentials = { [server.host]: { username: 'ann', password: 's:e' }, 'other.example': { password: 'x' } }
    expect((await fetchAll(server, { credentials })).error).toBeUndefined()
    expect(server.seen[1]!.headers.authorization).toBe(`Basic ${Buffer.from('ann:s:e').toString('base64')}`)
    expect(server.seen[0]!.headers.authorization).toBeUndefined()
  })

  test('are requested once by concurrent calls', async () => {
    await using server = await start((_, response) => setTimeout(() => json(response, 200, { token: 'good' }), 30))
    const same = Array.from({ length: 10 }, () => 'a')
    expect((await fetchAll(server, { concurrency: 10 }, same)).error).toBeUndefined()
    expect(paths(server).filter(path => path.startsWith('/token'))).toHaveLength(1)
  })

  test('differ for each repository', async () => {
    await using server = await start((_, response) => json(response, 200, { token: 'good' }))
    await fetchAll(server, {}, ['a', 'b'])
    expect(
      paths(server)
        .filter(path => path.startsWith('/token'))
        .sort(),
    ).toEqual(['/token?service=test&scope=repository%3Aa%3Apull', '/token?service=test&scope=repository%3Ab%3Apull'])
  })

  test('HT-05: that are refused although new end the request', async () => {
    await using server = await start((_, response) => json(response, 200, { token: 'bad' }))
    const { error } = await fetchAll(server)
    expect(error).toMatchObject({
      code: 'ERR_UNAUTHORIZED',
      status: 401,
      errors: [{ code: 'UNAUTHORIZED', message: 'log in' }],
    })
    expect(paths(server).filter(path => path.startsWith('/token')).length).toBeLessThanOrEqual(2)
  })

  test('HT-08: that expired early are renewed once', async () => {
    let issued = 0
    await using server = await start(
      (_, response) => json(response, 200, { token: `t${++issued}`, expires_in: 3600 }),
      authorization => authorization === `Bearer t${issued}` && issued !== 1,
    )
    // The first token is refused at once; the request fails, and the next one gets the second.
    const { error, again } = await fetchAll(server)
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
    expect(again).toHaveProperty('descriptor')
    expect(issued).toBe(2)
  })

  test('HT-05: that are too narrow are requested once more with the demanded scope', async () => {
    await using server = await startScriptedRegistry((request, response) => {
      const { authorization } = request.headers
      if (request.url!.startsWith('/token'))
        return json(response, 200, { token: request.url!.includes('wanted') ? 'wide' : 'narrow' })
      if (authorization === 'Bearer wide') return manifest(response)
      const more = authorization ? ',error="insufficient_scope",scope="repository:wanted:pull"' : ''
      return response.writeHead(401, challenge(request, more)).end()
    })
    expect((await fetchAll(server)).error).toBeUndefined()
    expect(paths(server).filter(path => path.startsWith('/token'))).toContain(
      '/token?service=test&scope=repository%3Aa%3Apull&scope=repository%3Awanted%3Apull',
    )
  })

  test('HT-05: the client gives up on a registry that demands ever new scopes', async () => {
    await using server = await startScriptedRegistry((request, response, number) => {
      if (request.url!.startsWith('/token')) return json(response, 200, { token: `t${number}` })
      const more = `,error="insufficient_scope",scope="repository:s${number}:pull"`
      return response.writeHead(401, challenge(request, more)).end()
    })
    await using registry = registryClientFor()
    const error = await registry
      .fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
    expect(server.seen.length).toBeLessThanOrEqual(5)
  })

  test('of a push allow pull and push, and pull from the source of a mount', async () => {
    await using server = await startScriptedRegistry((request, response) => {
      if (request.url!.startsWith('/token')) return json(response, 200, { token: 'good' })
      if (request.headers.authorization) return response.writeHead(201).end()
      return response.writeHead(401, challenge(request)).end()
    })
    await using registry = registryClientFor()
    const { digest } = descriptorOf(bytes, 'x/y')
    expect(await registry.mountBlob({ registry: server.host, repository: 'a' }, digest, 'b')).toBe(true)
    expect(paths(server)).toContain(
      '/token?service=test&scope=repository%3Aa%3Apull%2Cpush&scope=repository%3Ab%3Apull',
    )
  })

  test.each([
    ['no JSON', 'secret-token but no JSON'],
    ['no token', '{}'],
    ['null', 'null'],
    ['a token that breaks out of the header', JSON.stringify({ token: 'a\r\nX: y' })],
    ['an empty token', '{"token":""}'],
    ['a number', '{"token":5}'],
  ])('HT-08: a service that answers %s breaks the protocol, and its answer is not quoted', async (_, body) => {
    await using server = await start((_request, response) => response.end(body))
    const { error } = await fetchAll(server)
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL' })
    expect(String((error as Error).stack)).not.toContain('secret-token')
  })

  test.each([
    { token: 'good', access_token: '' },
    { token: '', access_token: 'good' },
    { token: null, access_token: 'good' },
    { token: 'good', access_token: null },
    { token: 'good', expires_in: null, issued_at: null, scope: null, refresh_token: null },
    { token: 'good', expires_in: '', issued_at: '' },
    { token: 'good', expires_in: 'soon', issued_at: 'now' },
  ])('an empty or null member of the answer is absent: %j', async answer => {
    await using server = await start((_, response) => json(response, 200, answer))
    expect((await fetchAll(server)).error).toBeUndefined()
  })

  test.each([200, 201, 203])('any success status of the token service is accepted (%d)', async status => {
    await using server = await start((_, response) => json(response, status, { token: 'good' }))
    expect((await fetchAll(server)).error).toBeUndefined()
  })

  test('HT-08: the client reads at most 1 MiB of an answer', async () => {
    await using server = await start((_, response) =>
      response.end(JSON.stringify({ token: 'x'.repeat(2 * 1024 * 1024) })),
    )
    expect((await fetchAll(server)).error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  })

  test.each([0, -1, 1e30, 'NaN', null, '300'])(
    'HT-08: a token with the lifetime %j is used and cached',
    async expires => {
      await using server = await start((_, response) =>
        json(response, 200, { token: 'good', expires_in: expires, issued_at: '2999-01-01T00:00:00Z' }),
      )
      expect((await fetchAll(server)).error).toBeUndefined()
      expect(paths(server).filter(path => path.startsWith('/token'))).toHaveLength(1)
    },
  )

  test('the lifetime of a token issued earlier counts from that time', async () => {
    const issued = new Date(Date.now() - 289_990).toISOString()
    await using server = await start((_, response) =>
      json(response, 200, { token: 'good', expires_in: 300, issued_at: issued }),
    )
    await using registry = registryClientFor()
    const fetch = () => registry.fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
    await fetch()
    const now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + 1100)
    try {
      await fetch()
    } finally {
      clock.mockRestore()
    }
    expect(paths(server).filter(path => path.startsWith('/token'))).toHaveLength(2)
  })

  test('a service that refuses is an error with its address, without the query', async () => {
    await using server = await start((_, response) =>
      json(response, 403, { errors: [{ code: 'DENIED', message: 'no' }] }),
    )
    const { error } = await fetchAll(server)
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', status: 403, url: `http://${server.host}/token` })
  })

  test('HT-19: a transient failure of the service is retried', async () => {
    let failed = 0
    await using server = await start((_, response) =>
      failed++ < 2 ? response.writeHead(503).end() : json(response, 200, { token: 'good' }),
    )
    expect((await fetchAll(server)).error).toBeUndefined()
  })

  test('an abort of one of two waiting calls does not affect the other; an abort of both ends the exchange', async () => {
    await using server = await start((_, response) => setTimeout(() => json(response, 200, { token: 'good' }), 100))
    await using registry = registryClientFor()
    const stop = [new AbortController(), new AbortController()]
    const fetch = (i: number, tag: string) =>
      registry.fetchManifest({ registry: server.host, repository: 'a', tag }, { signal: stop[i]!.signal })
    const [first, second] = [fetch(0, 'v').catch((e: unknown) => e), fetch(1, 'v')]
    await expect.poll(() => paths(server).filter(path => path.startsWith('/token')).length).toBe(1)
    stop[0]!.abort('first')
    expect(await first).toBe('first')
    expect((await second).descriptor.size).toBe(bytes.length)
    // The exchange of the previous request may stay for the next one.
    let exchanges = 0
    await using other = await start(request => {
      exchanges++
      request.socket.once('close', () => exchanges--)
    })
    const third = registry
      .fetchManifest({ registry: other.host, repository: 'a', tag: 'v' }, { signal: stop[1]!.signal })
      .catch((e: unknown) => e)
    await expect.poll(() => exchanges).toBe(1)
    stop[1]!.abort('second')
    expect(await third).toBe('second')
    await expect.poll(() => exchanges).toBe(0)
  })
})

describe('identity tokens', () => {
  const identity = { identityToken: 'long lived&', username: 'ann' }
  const form = async (request: IncomingMessage) =>
    Object.fromEntries(new URLSearchParams((await readAll(request)).toString()))

  test('are exchanged for a token by POST, in the body', async () => {
    const forms: unknown[] = []
    await using server = await start(async (request, response) => {
      forms.push(await form(request))
      json(response, 200, { access_token: 'good' })
    })
    expect((await fetchAll(server, { credentials: { [server.host]: identity } })).error).toBeUndefined()
    expect(forms).toEqual([
      {
        grant_type: 'refresh_token',
        client_id: 'layerstore',
        refresh_token: 'long lived&',
        scope: 'repository:a:pull',
        service: 'test',
      },
    ])
    expect(server.seen[1]).toMatchObject({ method: 'POST', path: '/token' })
  })

  test.each([400, 401, 404, 405])('serve as a password if the service lacks POST (%d)', async status => {
    await using server = await start((request, response) =>
      request.method === 'POST' ? response.writeHead(status).end() : json(response, 200, { token: 'good' }),
    )
    expect((await fetchAll(server, { credentials: () => identity })).error).toBeUndefined()
    expect(server.seen[2]!.headers.authorization).toBe(`Basic ${Buffer.from('ann:long lived&').toString('base64')}`)
  })

  test('are not forwarded by redirects', async () => {
    await using elsewhere = await startScriptedRegistry((_, response) => json(response, 200, { token: 'good' }))
    await using server = await start((_, response) =>
      response.writeHead(307, { location: `http://${elsewhere.host}/` }).end(),
    )
    expect((await fetchAll(server, { credentials: () => identity })).error).toMatchObject({
      code: 'ERR_PROTOCOL',
      status: 307,
    })
    expect(elsewhere.seen).toEqual([])
  })
})

describe('other credentials', () => {
  test('a registry token is sent unchanged', async () => {
    await using server = await start(() => {})
    expect((await fetchAll(server, { credentials: async () => ({ registryToken: 'good' }) })).error).toBeUndefined()
    expect(paths(server).some(path => path.startsWith('/token'))).toBe(false)
  })

  const basic: Script = (request, response) =>
    request.headers.authorization === `Basic ${Buffer.from('ann:pw').toString('base64')}`
      ? manifest(response)
      : response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()

  test('basic authentication is used when the registry asks for it, and in advance afterwards', async () => {
    let asked = 0
    await using server = await startScriptedRegistry(basic)
    const credentials = () => {
      asked++
      return { username: 'ann', password: 'pw' }
    }
    expect((await fetchAll(server, { credentials })).error).toBeUndefined()
    expect(server.seen).toHaveLength(3)
    expect(asked).toBe(1)
  })

  test('a wrong password is sent once, and a missing one not at all', async () => {
    await using server = await startScriptedRegistry(basic)
    await using wrong = registryClientFor({ credentials: () => ({ username: 'ann', password: 'no' }) })
    await using none = registryClientFor()
    for (const [registry, count] of [
      [wrong, 2],
      [none, 1],
    ] as const) {
      const before = server.seen.length
      const error = await registry
        .fetchManifest({ registry: server.host, repository: 'a', tag: 'v' })
        .catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', status: 401 })
      expect(server.seen.length - before).toBe(count)
    }
  })

  test('HT-09: the client chooses the bearer challenge among several, in one header or two', async () => {
    await using server = await startScriptedRegistry((request, response) => {
      if (request.url!.startsWith('/token')) return json(response, 200, { token: 'good' })
      if (request.headers.authorization === 'Bearer good') return manifest(response)
      const bearer = `Bearer realm="/token"`
      return response.writeHead(401, { 'www-authenticate': ['Basic realm="x"', `Digest realm="y", ${bearer}`] }).end()
    })
    expect((await fetchAll(server)).error).toBeUndefined()
  })

  test('a refusal without a challenge, at the base URL too, ends the request', async () => {
    await using server = await startScriptedRegistry((_, response) => response.writeHead(401).end())
    expect((await fetchAll(server, { credentials: () => ({ password: 'x' }) })).error).toMatchObject({
      code: 'ERR_UNAUTHORIZED',
      url: `http://${server.host}/v2/a/manifests/v`,
    })
    expect(paths(server)).toEqual(['/v2/a/manifests/v', '/v2/', '/v2/a/manifests/v', '/v2/'])
  })

  test('a challenge that only the base URL sends is found there', async () => {
    await using server = await startScriptedRegistry((request, response) => {
      if (request.headers.authorization?.startsWith('Basic ')) return manifest(response)
      const isBase = request.url === '/v2/'
      return response.writeHead(401, isBase ? { 'www-authenticate': 'Basic realm="x"' } : {}).end()
    })
    const credentials = () => ({ username: 'ann', password: 'x' })
    expect((await fetchAll(server, { credentials })).error).toBeUndefined()
    expect(paths(server)).toEqual(['/v2/a/manifests/v', '/v2/', '/v2/a/manifests/v', '/v2/a/manifests/v'])
  })
})
