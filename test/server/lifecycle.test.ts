import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { parseReference } from '../../lib/oci/index.ts'
import { createRegistryServer, type RegistryRequestEvent } from '../../lib/server/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { httpRequest } from '../helpers/http-request.ts'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { runningServer } from '../helpers/running-server.ts'
import { selfSignedCertificate } from '../helpers/self-signed-certificate.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { uploadedBytes } from '../helpers/uploaded-bytes.ts'

test('listen uses the loopback and a free port by default', async () => {
  await using server = createRegistryServer(createMemoryStore())
  const { url, host, port } = await server.listen()
  expect([host, url]).toEqual(['127.0.0.1', `http://127.0.0.1:${port}`])
  expect((await httpRequest(url, 'GET', '/v2/')).status).toBe(200)
})

test('listen rejects with the system error if the port is taken', async () => {
  await using server = createRegistryServer(createMemoryStore())
  const { port } = await server.listen()
  expect(await thrownBy(() => server.listen({ port }))).toMatchObject({
    code: 'ERR_LISTEN',
    errno: 'EADDRINUSE',
    address: `127.0.0.1:${port}`,
  })
})

test('the URL has an IPv6 address in brackets', async ({ skip }) => {
  await using server = createRegistryServer(createMemoryStore())
  const address = await server.listen({ host: '::1' }).catch(error => {
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return undefined
    throw error
  })
  if (!address) return skip('this machine has no IPv6')
  expect(address.url).toBe(`http://[::1]:${address.port}`)
})

test('the handler works in another http server', async () => {
  await using registry = createRegistryServer(createMemoryStore())
  const http = createServer(registry.handler)
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  try {
    await pushImage(url, 'app', '1', rawImage('a'))
    expect((await httpRequest(url, 'GET', '/v2/app/manifests/1')).status).toBe(200)
    await registry.close()
    expect(await httpRequest(url, 'GET', '/v2/')).toMatchObject({ status: 503, headers: { connection: 'close' } })
  } finally {
    http.closeAllConnections()
    await new Promise(resolve => http.close(resolve))
  }
})

test('close waits for a running request', async () => {
  const store = createMemoryStore()
  await using registry = await runningServer({}, store)
  const { digest } = await store.put(Buffer.from('slow'))
  let release!: () => void
  let reading!: () => void
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const started = new Promise<void>(resolve => {
    reading = resolve
  })
  store.read = async function* () {
    reading()
    await released
    yield Buffer.from('slow')
  }
  const answer = registry.ask('GET', `/v2/app/blobs/${digest}`)
  await started
  const closed = registry.server.close()
  release()
  expect(await answer).toMatchObject({ status: 200, body: Buffer.from('slow'), complete: true })
  await closed
  expect(await thrownBy(() => registry.ask('GET', '/v2/'))).toMatchObject({ code: 'ECONNREFUSED' })
})

test('close aborts a request that does not finish in time', async () => {
  const events: RegistryRequestEvent[] = []
  await using registry = await runningServer({ closeGraceMs: 50, onRequest: event => events.push(event) })
  const { hostname, port } = new URL(registry.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const closed = new Promise<string>(resolve => socket.once('close', () => resolve('closed')))
  const writing = uploadedBytes(registry.store)
  socket.write('POST /v2/app/blobs/uploads/?digest=sha256:')
  socket.write(`${'0'.repeat(64)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbeginning`)
  await writing
  await registry.server.close()
  expect(events).toMatchObject([{ method: 'POST', status: 0, complete: false }])
  expect(await closed).toBe('closed')
})

test('close may be called twice, and before listen', async () => {
  const server = createRegistryServer(createMemoryStore())
  await Promise.all([server.close(), server.close()])
  const { url } = await server.listen()
  expect(await thrownBy(() => httpRequest(url, 'GET', '/v2/'))).toMatchObject({ code: 'ECONNREFUSED' })
})

test('close leaves the store open', async () => {
  const store = createMemoryStore()
  const server = createRegistryServer(store)
  await server.listen()
  await server[Symbol.asyncDispose]()
  expect((await store.put(Buffer.from('x'))).size).toBe(1)
})

test('listen with a key and a certificate serves https', async () => {
  const { key, cert } = selfSignedCertificate()
  const store = createMemoryStore()
  await using server = createRegistryServer(store)
  const { url, port } = await server.listen({ tls: { key, cert: Buffer.from(cert) } })
  expect(url).toBe(`https://127.0.0.1:${port}`)
  const { manifest } = await putStoreImage(store)
  await store.references.set('app:1', manifest)
  await using client = registryClientFor({ hosts: { [`127.0.0.1:${port}`]: { ca: cert, plainHttp: false } } })
  const reference = parseReference(`127.0.0.1:${port}/app:1`)
  expect((await client.resolve(reference)).digest).toBe(manifest.digest)
  await server.close()
  expect(await thrownBy(() => client.resolve(reference))).toMatchObject({ code: 'ERR_NETWORK' })
})
