import { connect } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { RegistryServerOptions } from '../../lib/server/index.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** Registry that identifies clients by a header, with the requests of one client. */
async function registryForClients(options: RegistryServerOptions) {
  const registry = await runningServer({ ...options, clientOf: ({ headers }) => String(headers.client) })
  const as = (client: string) => {
    const ask = (method: string, path: string, body?: string) =>
      registry.ask(method, path, { headers: { client }, ...(body === undefined ? {} : { body }) })
    return {
      begin: () => ask('POST', '/v2/app/blobs/uploads/'),
      /** Status of GET of an upload. */
      look: async (location: string) => (await ask('GET', location)).status,
      /** Starts an upload and sends one byte. */
      async beginWithByte() {
        const { headers } = await ask('POST', '/v2/app/blobs/uploads/')
        expect((await ask('PATCH', headers.location!, 'x')).status).toBe(202)
        return headers.location!
      },
    }
  }
  return Object.assign(registry, { as })
}

test('a further upload at the limit replaces the oldest empty one', async () => {
  await using registry = await registryForClients({ maxUploads: 3 })
  const { begin, beginWithByte, look } = registry.as('a')
  const oldest = await beginWithByte()
  const empty = (await begin()).headers.location!
  const younger = (await begin()).headers.location!
  const last = (await begin()).headers.location!
  const found = [await look(oldest), await look(empty), await look(younger), await look(last)]
  expect(found).toEqual([204, 404, 204, 204])
})

test('a client that starts uploads and sends nothing does not block other clients', async () => {
  await using registry = await registryForClients({ maxUploads: 10, maxUploadsPerClient: 10 })
  const other = registry.as('b')
  const early = (await other.begin()).headers.location!
  for (let i = 0; i < 30; i++) expect((await registry.as('a').begin()).status).toBe(202)
  const late = (await other.begin()).headers.location!
  expect([await other.look(early), await other.look(late)]).toEqual([204, 204])
})

test('a client at its own limit gets 429 if all its uploads have bytes', async () => {
  await using registry = await registryForClients({ maxUploads: 10, maxUploadsPerClient: 2 })
  const { begin, beginWithByte, look } = registry.as('a')
  const uploads = [await beginWithByte(), await beginWithByte()]
  const refused = await begin()
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '10' } })
  expect(refused.json().errors[0]!.code).toBe('TOOMANYREQUESTS')
  expect((await registry.as('b').begin()).status).toBe(202)
  await registry.ask('DELETE', uploads[0]!, { headers: { client: 'a' } })
  expect([(await begin()).status, await look(uploads[1]!)]).toEqual([202, 204])
})

test('an upload with bytes is never replaced', async () => {
  await using registry = await registryForClients({ maxUploads: 2 })
  await registry.as('a').beginWithByte()
  await registry.as('b').beginWithByte()
  expect((await registry.as('c').begin()).status).toBe(429)
})

test('an idle empty upload is dropped before an idle upload with bytes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await using registry = await registryForClients({ emptyUploadIdleMs: 60_000, uploadIdleMs: 120_000 })
  const { begin, beginWithByte, look } = registry.as('a')
  const some = await beginWithByte()
  const none = (await begin()).headers.location!
  vi.advanceTimersByTime(61_000)
  expect([await look(none), await look(some)]).toEqual([404, 204])
})

/** Sends a head that announces a body, and a part of the body. */
function stalledRequest(registry: RunningServer, method: string, path: string, body = '') {
  const { hostname, port } = new URL(registry.url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nClient: a\r\nContent-Length: 1000\r\n\r\n${body}`)
  return socket
}

test('the upload of a request that announces bytes and sends none is replaced', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  await using registry = await registryForClients({ maxUploads: 1 })
  const socket = stalledRequest(registry, 'POST', `/v2/app/blobs/uploads/?digest=${sha256('x')}`)
  const { begin } = registry.as('b')
  await expect.poll(async () => (await begin()).status).toBe(429)
  const answer = new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())))
  vi.advanceTimersByTime(11_000)
  expect((await begin()).status).toBe(202)
  expect(await answer).toMatch(/^HTTP\/1.1 404 .*connection: close.*BLOB_UPLOAD_UNKNOWN/is)
  socket.destroy()
})

test('an upload whose client has disconnected holds no file, and can be resumed', async () => {
  using directory = temporaryDirectory('uploads')
  const store = await openStore(directory.path)
  await using onDisk = await runningServer({}, store)
  const location = (await onDisk.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  const socket = stalledRequest(onDisk, 'PATCH', location, 'abc')
  await expect.poll(async () => (await onDisk.ask('GET', location)).headers.range).toBe('0-2')
  expect(openFilesBelow(directory.path)).not.toEqual([])
  socket.destroy()
  await expect.poll(() => openFilesBelow(directory.path)).toEqual([])
  const rest = { headers: { 'content-range': '3-5' }, body: 'def' }
  expect((await onDisk.ask('PATCH', location, rest)).headers.range).toBe('0-5')
  expect((await onDisk.ask('PUT', `${location}?digest=${sha256('abcdef')}`)).status).toBe(201)
})

test('an idle upload holds no file after a while, and can be resumed', async () => {
  using directory = temporaryDirectory('uploads')
  const store = await openStore(directory.path)
  await using registry = await runningServer({}, store)
  const location = (await registry.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await registry.ask('PATCH', location, { body: 'abc' })
  expect(openFilesBelow(directory.path)).not.toEqual([])
  vi.advanceTimersByTime(6000)
  vi.useRealTimers()
  await expect.poll(() => openFilesBelow(directory.path)).toEqual([])
  expect((await registry.ask('PUT', `${location}?digest=${sha256('abcdef')}`, { body: 'def' })).status).toBe(201)
})
