import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { expect, test, vi } from 'vitest'
import { createPeerRelay, type RegistryPeers } from '../../lib/server/index.ts'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { runningServer } from '../helpers/running-server.ts'
import { connectedServers } from '../helpers/two-servers.ts'

const bytes = Buffer.from('the bytes of a blob, chunk by chunk')
const digest = sha256(bytes)

test('an upload that has ended at one server is unknown to both', async () => {
  await using servers = await connectedServers()
  const { one, two } = servers
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  expect((await two.ask('PUT', `${at}?digest=${digest}`, { body: bytes })).status).toBe(201)
  for (const server of [one, two]) expect((await server.ask('GET', at)).status).toBe(404)
})

test('an upload that was dropped at one server is unknown to both', async () => {
  await using servers = await connectedServers()
  const { one, two } = servers
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  await one.ask('PATCH', at, { body: bytes })
  expect((await two.ask('DELETE', at)).status).toBe(204)
  for (const server of [one, two]) expect((await server.ask('DELETE', at)).status).toBe(404)
  expect((await two.ask('GET', at.replace('/app/', '/other/'))).status).toBe(404)
})

test('while a request writes at one server, the other tells the offset, refuses writes, and may drop the upload', async () => {
  await using servers = await connectedServers()
  const { one, two } = servers
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  const socket = connect(Number(new URL(one.url).port), '127.0.0.1')
  socket.write(`PATCH ${at} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n${'x'.repeat(40)}`)
  await expect.poll(async () => (await two.ask('GET', at)).headers.range).toBe('0-39')
  expect((await two.ask('PATCH', at, { body: 'y' })).status).toBe(409)
  const broken = once(socket, 'data')
  expect((await two.ask('DELETE', at)).status).toBe(204)
  expect(String((await broken)[0])).toContain('404')
  socket.destroy()
  expect((await one.ask('GET', at)).status).toBe(404)
})

test('a chunk that was too short is the last one at the other server, too', async () => {
  await using servers = await connectedServers({ minChunkBytes: 20 })
  const { one, two } = servers
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  await one.ask('PATCH', at, { body: bytes.subarray(0, 10) })
  expect((await two.ask('PATCH', at, { body: bytes.subarray(10) })).status).toBe(416)
})

test('a referrer that was pushed to one server is listed by the other at once', async () => {
  await using servers = await connectedServers()
  const { one, two } = servers
  const subject = rawImage('subject')
  const about = { mediaType: subject.mediaType, digest: subject.digest, size: subject.manifest.length }
  const path = `/v2/app/referrers/${subject.digest}`
  expect((await two.ask('GET', path)).json()).toMatchObject({ manifests: [] })
  const signature = rawImage('signature', { subject: about })
  await pushImage(one.url, 'app', 'signed', signature)
  expect((await two.ask('GET', path)).json()).toMatchObject({ manifests: [{ digest: signature.digest }] })
})

test('an upload is refused for now if a process that may have it does not answer', async () => {
  const peers: RegistryPeers = { ask: () => Promise.reject(new Error('no answer')), onAsk: () => {} }
  await using registry = await runningServer({ peers })
  const at = '/v2/app/blobs/uploads/00000000-0000-0000-0000-000000000000'
  expect(await registry.ask('GET', at)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
})

/** A child process as far as the relay uses it. */
class Child extends EventEmitter {
  readonly sent: { layerstore: string; id: number; answers?: unknown[] }[] = []
  send(message: { layerstore: string; id: number }): boolean {
    this.sent.push(message)
    return true
  }
  ask = (id: number) => this.emit('message', { layerstore: 'ask', id, message: 'who?' })
  answer = (answer?: unknown) =>
    this.emit('message', { layerstore: 'answer', id: this.sent.findLast(m => m.layerstore === 'question')!.id, answer })
}

function children(count: number): Child[] {
  const relay = createPeerRelay()
  return Array.from({ length: count }, () => {
    const child = new Child()
    relay.add(child as unknown as Parameters<typeof relay.add>[0])
    child.emit('message', { layerstore: 'ready' })
    return child
  })
}

test('a relay returns the answers of all other children, without those that have none or have ended', () => {
  const [asker, one, two, three] = children(4) as [Child, Child, Child, Child]
  asker.ask(7)
  one.answer({ found: true })
  two.answer()
  expect(asker.sent).toEqual([])
  three.emit('exit')
  expect(asker.sent).toEqual([{ layerstore: 'answers', id: 7, answers: [{ found: true }] }])
  one.emit('disconnect')
  two.emit('disconnect')
  asker.ask(8)
  expect(asker.sent.at(-1)).toEqual({ layerstore: 'answers', id: 8, answers: [] })
})

test('a relay waits for no answer of a child that has just been started', () => {
  const relay = createPeerRelay()
  const [asker, booting] = [new Child(), new Child()]
  for (const child of [asker, booting]) relay.add(child as unknown as Parameters<typeof relay.add>[0])
  asker.emit('message', { layerstore: 'ready' })
  asker.ask(3)
  expect([asker.sent, booting.sent]).toEqual([[{ layerstore: 'answers', id: 3, answers: [] }], []])
})

test('a relay tells that a child does not answer', () => {
  vi.useFakeTimers()
  try {
    const [asker, hung] = children(2) as [Child, Child]
    asker.ask(1)
    vi.advanceTimersByTime(60_000)
    expect(asker.sent).toEqual([{ layerstore: 'answers', id: 1, answers: undefined }])
    hung.answer('late')
    expect(asker.sent).toHaveLength(1)
  } finally {
    vi.useRealTimers()
  }
})
