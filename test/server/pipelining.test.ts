import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/** Pipelines requests on one connection. */
function send(registry: RunningServer, ...requests: readonly string[]): Socket {
  const { hostname, port } = new URL(registry.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(requests.join(''))
  return socket
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
}

/** All text until the connection ends. */
async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  await new Promise(resolve => socket.once('close', resolve))
  return text
}

async function registryWithBlob(directory: string): Promise<RunningServer & { digest: Digest }> {
  const store = await openStore(directory)
  const { digest } = await store.put(Buffer.alloc(8_000_000, 'blob'))
  return Object.assign(await runningServer({}, store), { digest })
}

test('pipelined requests of a disconnected client hold no file', async () => {
  using directory = temporaryDirectory('pipelining')
  await using registry = await registryWithBlob(directory.path)
  const blobs = `${directory.path}/blobs`
  const socket = send(registry, get(`/v2/app/blobs/${registry.digest}`).repeat(100))
  socket.pause()
  await expect.poll(() => openFilesBelow(blobs)).toHaveLength(1)
  // The server answers another connection meanwhile, and has opened no further file for the first.
  expect((await registry.ask('GET', `/v2/app/blobs/${registry.digest}`)).status).toBe(200)
  await expect.poll(() => openFilesBelow(blobs)).toHaveLength(1)
  socket.destroy()
  await expect.poll(() => openFilesBelow(blobs)).toEqual([])
})

test('pipelined requests are answered in their order', async () => {
  await using registry = await runningServer()
  await pushImage(registry.url, 'app', '1', rawImage('a'))
  const paths = ['/v2/app/tags/list', '/v2/none/tags/list', '/v2/', '/v2/app/manifests/1', '/elsewhere']
  const last = 'GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const text = await textOf(send(registry, ...paths.map(get), last))
  expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
    '200',
    '404',
    '200',
    '200',
    '404',
    '200',
  ])
})

test('a connection with more than a hundred waiting requests is closed, other connections are served', async () => {
  using directory = temporaryDirectory('pipelining')
  await using registry = await registryWithBlob(directory.path)
  await textOf(send(registry, get(`/v2/app/blobs/${registry.digest}`).repeat(500)))
  await expect.poll(() => openFilesBelow(`${directory.path}/blobs`)).toEqual([])
  expect((await registry.ask('GET', '/v2/')).status).toBe(200)
})

test('a request after an answer with Connection: close is not processed', async () => {
  await using registry = await runningServer({ maxManifestBytes: 1000 })
  await pushImage(registry.url, 'app', '1', rawImage('a'))
  const refused = `PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(99_999)}`
  const socket = send(registry, refused)
  const answers = textOf(socket)
  await new Promise(resolve => socket.once('data', resolve))
  socket.write('xDELETE /v2/app/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n')
  expect((await answers).match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 413'])
  expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(200)
})

test('closing the server ends a connection with waiting requests', async () => {
  using directory = temporaryDirectory('pipelining')
  await using registry = await registryWithBlob(directory.path)
  const socket = send(registry, get(`/v2/app/blobs/${registry.digest}`).repeat(50))
  socket.pause()
  await expect.poll(() => openFilesBelow(`${directory.path}/blobs`)).toHaveLength(1)
  const closed = registry.server.close()
  socket.destroy()
  await closed
  expect(openFilesBelow(`${directory.path}/blobs`)).toEqual([])
})
