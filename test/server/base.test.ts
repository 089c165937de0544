import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { BlobCorruptError } from '../../lib/errors/index.ts'
import type { RegistryRequestEvent } from '../../lib/server/index.ts'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { runningServer } from '../helpers/running-server.ts'

test.each(['/v2/', '/v2'])('GET %s answers 200', async path => {
  await using registry = await runningServer()
  const answer = await registry.ask('GET', path)
  expect(answer).toMatchObject({ status: 200, headers: { 'docker-distribution-api-version': 'registry/2.0' } })
})

test('an unknown endpoint is answered with 404', async () => {
  await using registry = await runningServer()
  const paths = ['/', '/v1/', '/v2/x', '//evil/v2/', '/v2/app/blobs/', '*', '/v2/../etc']
  for (const path of paths) {
    const answer = await registry.ask('GET', path)
    expect([path, answer.status]).toEqual([path, 404])
    expect(answer.json().errors[0]!.code).toBe('UNSUPPORTED')
  }
})

test('a target in absolute form is routed by its path, whatever its host', async () => {
  await using registry = await runningServer()
  for (const target of [`${registry.url}/v2/`, 'http://other.example/v2/?x=1', 'HTTPS://other.example:1/v2']) {
    expect([target, (await registry.ask('GET', target)).status]).toEqual([target, 200])
  }
  for (const target of ['http://other.example', 'http://', 'http:///v1', 'ftp://other.example/v2/']) {
    expect([target, (await registry.ask('GET', target)).status]).toEqual([target, 404])
  }
})

test('every answer forbids browsers to guess its type or run scripts', async () => {
  await using registry = await runningServer({ readOnly: true })
  const { digest } = await registry.store.put(Buffer.from('<html><script>alert(1)</script></html>'))
  const targets = ['/v2/', `/v2/app/blobs/${digest}`, '/v2/app/manifests/x', '/<script>', '/v2/%ff/tags/list']
  for (const method of ['GET', 'HEAD', 'POST']) {
    for (const target of targets) {
      const { headers } = await registry.ask(method, target)
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
      expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'; sandbox")
      expect(headers['content-type'] ?? '').not.toMatch(/html|svg|xml/)
    }
  }
})

test('an unsupported method is answered with 405 and the supported ones in Allow', async () => {
  await using registry = await runningServer()
  for (const [method, path, allow] of [
    ['POST', '/v2/', 'GET, HEAD'],
    ['PUT', '/v2/app/tags/list', 'GET, HEAD'],
    ['PATCH', '/v2/app/manifests/x', 'GET, HEAD, PUT, DELETE'],
    ['GET', '/v2/app/blobs/uploads/', 'POST'],
    ['OPTIONS', '/v2/_catalog', 'GET, HEAD'],
  ] as const) {
    expect(await registry.ask(method, path)).toMatchObject({ status: 405, headers: { allow } })
  }
})

test.each([
  '/v2/App/tags/list',
  '/v2/a..b/tags/list',
  '/v2/a/../b/tags/list',
  '/v2/%2e%2e/tags/list',
  '/v2/%ff/tags/list',
  `/v2/${'a'.repeat(256)}/tags/list`,
])('an invalid repository name in %s is refused', async path => {
  await using registry = await runningServer()
  const answer = await registry.ask('GET', path)
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'NAME_INVALID'])
})

test('a read-only registry refuses writes and serves reads', async () => {
  await using writable = await runningServer()
  const image = rawImage('a')
  await pushImage(writable.url, 'app', '1', image)
  const { blobs, digest } = image
  await using registry = await runningServer({ readOnly: true }, writable.store)
  for (const [method, path] of [
    ['POST', '/v2/app/blobs/uploads/'],
    ['PUT', '/v2/app/manifests/2'],
    ['DELETE', '/v2/app/manifests/1'],
    ['DELETE', `/v2/app/blobs/${blobs[0]!.digest}`],
    ['PATCH', '/v2/app/blobs/uploads/x'],
  ] as const) {
    const answer = await registry.ask(method, path)
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([405, 'UNSUPPORTED'])
  }
  expect((await registry.ask('GET', '/v2/app/manifests/1')).headers['docker-content-digest']).toBe(digest)
})

test('onRequest gets every request, without its query', async () => {
  const events: RegistryRequestEvent[] = []
  await using registry = await runningServer({ onRequest: event => events.push(event) })
  await registry.ask('GET', '/v2/?token=secret')
  await registry.ask('HEAD', '/v2/app/manifests/x')
  expect(events).toMatchObject([
    { method: 'GET', path: '/v2/', status: 200, complete: true },
    { method: 'HEAD', path: '/v2/app/manifests/x', status: 404, complete: true },
  ])
  expect(events[0]!.durationMs).toBeGreaterThan(0)
})

test('an event has the error with a cause that is not sent to the client', async () => {
  const events: RegistryRequestEvent[] = []
  await using registry = await runningServer({ onRequest: event => events.push(event), maxManifestBytes: 10 })
  const cause = new Error('EIO: /secret/path')
  registry.store.references.get = () => Promise.reject(cause)
  await registry.ask('GET', '/v2/app/manifests/x')
  await registry.ask('GET', '/v2/app/manifests/sha256:x')
  await registry.ask('PUT', '/v2/app/manifests/x', { body: 'much too long' })
  await registry.ask('GET', '/v2/')
  expect(events.map(({ status, error }) => [status, (error as Error | undefined)?.message])).toEqual([
    [500, cause.message],
    [400, 'not a digest of a supported algorithm (sha256, sha512, blake3)'],
    [413, expect.stringContaining('over the limit')],
    [200, undefined],
  ])
  expect(events[0]!.error).toBe(cause)
})

test('an event has the user name, the address and the bytes sent', async () => {
  const events: RegistryRequestEvent[] = []
  const authorize = ({ username }: { username: string | undefined }) => username === 'ann'
  await using registry = await runningServer({ authorize, onRequest: event => events.push(event) })
  const { digest } = await registry.store.put(Buffer.from('ten bytes!'))
  for (const user of ['ann', 'eve']) {
    const authorization = `Basic ${Buffer.from(`${user}:x`).toString('base64')}`
    for (const method of ['GET', 'HEAD']) {
      await registry.ask(method, `/v2/app/blobs/${digest}`, { headers: { authorization } })
    }
  }
  const client = '127.0.0.1'
  expect(events).toMatchObject([
    { client, username: 'ann', status: 200, bytesSent: 10 },
    { client, username: 'ann', status: 200, bytesSent: 0 },
    { client, username: 'eve', status: 401 },
    { client, username: 'eve', status: 401, bytesSent: 0 },
  ])
})

test('an event reports a damaged blob as an error, and a client that disconnects as none', async () => {
  const events: RegistryRequestEvent[] = []
  await using registry = await runningServer({ onRequest: event => events.push(event) })
  const { digest } = await registry.store.put(Buffer.alloc(2_000_000))
  const read = registry.store.read.bind(registry.store)
  registry.store.read = async function* (...args) {
    yield* read(...args)
    throw new BlobCorruptError({ digest, expected: digest, actual: 'another' })
  }
  await registry.ask('GET', `/v2/app/blobs/${digest}`)
  await expect.poll(() => events.length).toBe(1)
  expect(events[0]).toMatchObject({ complete: false, error: { code: 'ERR_BLOB_CORRUPT' } })
  const upload = (await registry.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  const { hostname, port } = new URL(registry.url)
  const leaving = connect(Number(port), hostname)
  leaving.write(`PATCH ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it`)
  await expect.poll(async () => (await registry.ask('GET', upload)).headers.range).toBe('0-9')
  leaving.destroy()
  await expect
    .poll(() => events.find(({ method }) => method === 'PATCH'))
    .toMatchObject({
      status: 0,
      complete: false,
      error: undefined,
    })
})

test('an exception of onRequest does not stop the server', async () => {
  await using registry = await runningServer({
    onRequest: () => {
      throw new Error('listener')
    },
  })
  await registry.ask('GET', '/v2/').catch(() => {})
  await registry.ask('PUT', '/v2/app/manifests/x', { body: 'x' }).catch(() => {})
  expect((await registry.ask('GET', '/v2/')).status).toBe(200)
})

test('a failure of the store is answered without details of this machine', async () => {
  await using registry = await runningServer()
  registry.store.references.get = () => Promise.reject(new Error('EIO: /secret/path'))
  const answer = await registry.ask('GET', '/v2/app/manifests/x')
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([500, 'UNKNOWN'])
  expect(answer.body.toString()).not.toContain('secret')
})

test('a closed store is answered with 503', async () => {
  await using registry = await runningServer()
  await registry.store.close()
  expect(await registry.ask('GET', '/v2/app/manifests/x')).toMatchObject({ status: 503 })
})
