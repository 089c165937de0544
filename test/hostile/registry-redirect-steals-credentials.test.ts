import { describe, expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { bytes, descriptor } = sampleBlob(10_000)
const credentials = () => ({ username: 'ann', password: 'hunter2' })
const authorized =
  (script: Script): Script =>
  (request, response, number) =>
    request.headers.authorization
      ? script(request, response, number)
      : response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
const fetch = async (host: string) => {
  await using registry = registryClientFor({ credentials })
  return readAll(registry.fetchBlob({ registry: host, repository: 'a' }, descriptor))
}

describe('a registry that redirects', () => {
  test.each([301, 302, 303, 307, 308])(
    'HT-07: to another host or port gets no credentials there (%d)',
    async status => {
      await using elsewhere = await startScriptedRegistry((_, response) => response.end(bytes))
      await using server = await startScriptedRegistry(
        authorized((_, response) =>
          response.writeHead(status, { location: `http://${elsewhere.host}/signed?key=1` }).end(),
        ),
      )
      expect((await fetch(server.host)).equals(bytes)).toBe(true)
      expect(elsewhere.seen).toHaveLength(1)
      expect(elsewhere.seen[0]).toMatchObject({ path: '/signed?key=1' })
      expect(elsewhere.seen[0]!.headers.authorization).toBeUndefined()
    },
  )

  test('HT-07: elsewhere and back does not get them again', async () => {
    await using elsewhere = await startScriptedRegistry((_, response) =>
      response.writeHead(307, { location: `http://${server.host}/back` }).end(),
    )
    await using server = await startScriptedRegistry((request, response, number) => {
      if (request.url === '/back') return response.end(bytes)
      return authorized((_, answer) => answer.writeHead(307, { location: `http://${elsewhere.host}/` }).end())(
        request,
        response,
        number,
      )
    })
    expect((await fetch(server.host)).equals(bytes)).toBe(true)
    expect(server.seen.at(-1)!.headers.authorization).toBeUndefined()
  })

  test('within itself keeps them', async () => {
    await using server = await startScriptedRegistry(
      authorized((request, response) =>
        request.url === '/here' ? response.end(bytes) : response.writeHead(307, { location: '/here' }).end(),
      ),
    )
    expect((await fetch(server.host)).equals(bytes)).toBe(true)
  })

  test('HT-06: to a host that asks for credentials gets none', async () => {
    await using elsewhere = await startScriptedRegistry((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="mine"' }).end(),
    )
    await using server = await startScriptedRegistry((_, response) =>
      response.writeHead(307, { location: `http://${elsewhere.host}/` }).end(),
    )
    const error = await thrownBy(() => fetch(server.host))
    expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', url: `http://${elsewhere.host}/` })
    expect(elsewhere.seen).toHaveLength(1)
    expect(server.seen).toHaveLength(1)
  })

  test('HT-07: in a circle is given up after ten', async () => {
    await using server = await startScriptedRegistry((_, response) =>
      response.writeHead(307, { location: '/again' }).end(),
    )
    expect(await thrownBy(() => fetch(server.host))).toMatchObject({ code: 'ERR_PROTOCOL', retryable: false })
    expect(server.seen).toHaveLength(11)
  })

  test.each(['http://169.254.169.254/', 'gopher://x/', 'http://a:b@127.0.0.1/'])(
    'HT-07: to %s is refused',
    async location => {
      await using server = await startScriptedRegistry((_, response) => response.writeHead(307, { location }).end())
      expect((await thrownBy(() => fetch(server.host))).code).toBe('ERR_BLOCKED_URL')
    },
  )

  test('HT-07: without saying where breaks the protocol', async () => {
    await using server = await startScriptedRegistry((_, response) => response.writeHead(307).end())
    expect((await thrownBy(() => fetch(server.host))).code).toBe('ERR_PROTOCOL')
  })
})
