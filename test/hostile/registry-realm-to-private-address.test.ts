import { describe, expect, test } from 'vitest'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const secret = { username: 'ann', password: 'hunter2' }

describe('a registry that names a token service it should not', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://2852039166/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://user:pass@127.0.0.1/',
    'http://[',
  ])('HT-02, HT-03: %s is refused, and no password leaves', async realm => {
    await using server = await startScriptedRegistry((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end(),
    )
    await using registry = registryClientFor({ credentials: () => secret })
    const error = await thrownBy(() => registry.resolve({ registry: server.host, repository: 'a', tag: 'v' }))
    expect(error.code).toBe('ERR_BLOCKED_URL')
    expect(error.message).not.toMatch(/hunter2|user:pass/)
    expect(server.seen).toHaveLength(1)
  })

  test('HT-04: a token service that redirects to a private address is refused', async () => {
    await using server = await startScriptedRegistry((request, response) =>
      request.url!.startsWith('/token')
        ? response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
        : response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end(),
    )
    await using registry = registryClientFor()
    const error = await thrownBy(() => registry.resolve({ registry: server.host, repository: 'a', tag: 'v' }))
    expect(error.code).toBe('ERR_BLOCKED_URL')
  })

  test('HT-04: the password ends at the first other origin', async () => {
    await using elsewhere = await startScriptedRegistry((_, response) => response.end('{"token":"t"}'))
    await using server = await startScriptedRegistry((request, response) => {
      if (request.headers.authorization === 'Bearer t')
        return response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      return request.url!.startsWith('/token')
        ? response.writeHead(302, { location: `http://${elsewhere.host}/` }).end()
        : response.writeHead(401, { 'www-authenticate': 'Bearer realm="/token"' }).end()
    })
    await using registry = registryClientFor({ credentials: () => secret })
    const error = await thrownBy(() => registry.resolve({ registry: server.host, repository: 'a', tag: 'v' }))
    expect(error.code).toBe('ERR_MANIFEST_NOT_FOUND')
    expect(server.seen[1]!.headers.authorization).toMatch(/^Basic /)
    expect(elsewhere.seen).toHaveLength(1)
    expect(elsewhere.seen[0]!.headers.authorization).toBeUndefined()
  })
})
