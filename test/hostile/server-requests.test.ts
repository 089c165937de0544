import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { standstill } from '../helpers/settle.ts'
import { putStoreImage } from '../helpers/store-image.ts'

let registry: RunningServer
const failures: unknown[] = []
const note = (error: unknown) => failures.push(error)

beforeAll(async () => {
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  registry = await runningServer({ connectionIdleMs: 300, closeGraceMs: 100 })
  await pushImage(registry.url, 'app', '1', rawImage('a'))
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
})
afterEach(async () => {
  expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(200)
  expect(failures).toEqual([])
})

/** Sends bytes and resolves to the answer when the connection ends. */
function raw(...parts: string[]): Promise<string> {
  const { hostname, port } = new URL(registry.url)
  return new Promise(resolve => {
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', data => {
      text += data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    for (const part of parts) socket.write(part)
  })
}

test.each([
  ['no http', 'hello\r\n\r\n'],
  ['HT-36: an endless header', `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`],
  [
    'HT-36: two lengths',
    'PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  ],
  [
    'HT-36: a length and chunks',
    'PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a broken chunk', 'PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a negative length', 'PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n'],
])('%s is refused by a bad request', async (_, bytes) => {
  expect(await raw(bytes)).toMatch(/^(HTTP\/1\.1 4\d\d|$)/)
})

test('HT-17: a client that stops in the middle is cut off when nothing moves', async () => {
  await raw('PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"sch')
  expect((await registry.ask('GET', '/v2/app/manifests/2')).status).toBe(404)
})

test('a client that leaves while a blob is coming frees the reader', async () => {
  const { digest } = await registry.store.put(Buffer.alloc(20_000_000))
  let open = 0
  const { read } = registry.store
  registry.store.read = async function* (...args) {
    open++
    try {
      yield* read.apply(registry.store, args)
    } finally {
      open--
    }
  }
  try {
    const { hostname, port } = new URL(registry.url)
    for (let i = 0; i < 5; i++) {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.write(`GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await new Promise(resolve => socket.once('data', resolve))
      socket.destroy()
    }
    for (let i = 0; open > 0 && i < 100; i++) await new Promise(resolve => setTimeout(resolve, 20))
    expect(open).toBe(0)
  } finally {
    registry.store.read = read
  }
})

test('a client that reads nothing does not make the server keep the blob in memory', async () => {
  const { digest } = await registry.store.put(Buffer.alloc(50_000_000))
  let handedOut = 0
  const { read } = registry.store
  registry.store.read = async function* (...args) {
    for await (const chunk of read.apply(registry.store, args)) {
      handedOut += chunk.byteLength
      yield chunk
    }
  }
  try {
    const { hostname, port } = new URL(registry.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.pause()
    socket.write(`GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await expect.poll(() => handedOut).toBeGreaterThan(0)
    expect(await standstill(() => handedOut)).toBeLessThan(20_000_000)
    socket.destroy()
  } finally {
    registry.store.read = read
  }
})

test('HT-28: the server stops reading a body that it does not need', async () => {
  const { hostname, port } = new URL(registry.url)
  let sent = 0
  await new Promise<void>(resolve => {
    const socket = connect(Number(port), hostname)
    const piece = Buffer.alloc(256 * 1024)
    const more = () => {
      while (!socket.destroyed && socket.write(piece)) sent += piece.length
    }
    socket.on('drain', more)
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => resolve())
    socket.write(`PUT /v2/app/manifests/2 HTTP/1.1\r\nHost: x\r\nContent-Length: ${10 ** 12}\r\n\r\n`)
    more()
  })
  expect(sent).toBeLessThan(200_000_000)
})

test.each([
  '/v2/%00/manifests/x',
  '/v2/a%0d%0aX-Evil:%20y/tags/list',
  '/v2/app/manifests/%0d%0aX-Evil:y',
  '/v2/app/tags/list?last=%0d%0aX-Evil:y&n=1',
  `/v2/${'a/'.repeat(4000)}tags/list`,
  `/v2/${'blobs/uploads/'.repeat(500)}`,
  '/v2/app/blobs/uploads/__proto__',
  '/v2/__proto__/tags/list',
  '/v2/app/manifests/..%2f..%2f..%2fetc%2fpasswd',
  '/v2/..%2f..%2f/blobs/x',
])('%s is answered with an error and nothing of it in the headers', async path => {
  const answer = await registry.ask('GET', path)
  if (!path.includes('last=')) expect([400, 404]).toContain(answer.status)
  expect(Object.keys(answer.headers)).not.toContain('x-evil')
})

test('methods that are members of every object are no methods', async () => {
  for (const method of ['PROPFIND', 'TRACE', 'OPTIONS']) {
    expect((await registry.ask(method, '/v2/')).status).toBe(405)
  }
})

test('HT-27: no list is longer than a thousand, whatever is asked for (CVE-2023-2253)', async () => {
  await using full = await runningServer()
  const { manifest } = await putStoreImage(full.store)
  for (let i = 0; i < 1001; i++) await full.store.references.set(`app:${i}`, manifest)
  for (const n of ['1001', '999999999999999']) {
    const answer = await full.ask('GET', `/v2/app/tags/list?n=${n}`)
    expect([answer.json().tags, answer.headers.link]).toEqual([
      expect.any(Array),
      expect.stringContaining('rel="next"'),
    ])
    expect(answer.json().tags).toHaveLength(1000)
  }
  for (const n of ['-1', '1e9', '99999999999999999999', '0x10', '']) {
    const answer = await full.ask('GET', `/v2/app/tags/list?n=${n}`)
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'UNSUPPORTED'])
  }
})

test('HT-34: a password that is refused shows nowhere', async () => {
  const events: unknown[] = []
  await using asking = await runningServer({ authorize: () => false, onRequest: event => events.push(event) })
  const authorization = `Basic ${Buffer.from('ann:hunter2').toString('base64')}`
  const answer = await asking.ask('GET', '/v2/?password=hunter2', { headers: { authorization } })
  expect(answer.status).toBe(401)
  const shown = `${answer.body} ${JSON.stringify(answer.headers)} ${JSON.stringify(events)}`
  expect(shown).not.toMatch(/hunter2|YW5u/)
})
