import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('HT-34: no error, event or view of the client shows a password, a token or a signed query', async () => {
  const basic = Buffer.from('ann:hunter2').toString('base64')
  await using storage = await startScriptedRegistry((_, response) => response.writeHead(403).end())
  await using server = await startScriptedRegistry((request, response) => {
    if (request.url!.startsWith('/token')) return response.end('{"token":"t0ken"}')
    if (!request.headers.authorization)
      return response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
    if (request.url!.includes('blobs'))
      return response.writeHead(307, { location: `http://${storage.host}/b?X-Signature=s1gned` }).end()
    return request.url!.includes('cut') ? request.socket.destroy() : response.writeHead(500).end()
  })
  const events: unknown[] = []
  await using registry = registryClientFor({
    credentials: { [server.host]: { username: 'ann', password: 'hunter2' } },
    onEvent: event => events.push(event),
  })
  const { descriptor } = sampleBlob(10)
  const repository = { registry: server.host, repository: 'a' }
  const errors = [
    await thrownBy(() => registry.resolve({ ...repository, tag: 'v' })),
    await thrownBy(() => registry.resolve({ ...repository, tag: 'cut' })),
    await thrownBy(() => readAll(registry.fetchBlob(repository, descriptor))),
  ]
  expect(errors.map(error => error.code)).toEqual(['ERR_REGISTRY', 'ERR_NETWORK', 'ERR_UNAUTHORIZED'])
  expect(server.seen.some(({ headers }) => headers.authorization === `Basic ${basic}`)).toBe(true)
  const shown = [...errors, ...events, registry].flatMap(value => [
    inspect(value, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(value),
    String(value),
  ])
  for (const secret of ['hunter2', basic, 't0ken', 's1gned']) expect(shown.join('\n')).not.toContain(secret)
})
