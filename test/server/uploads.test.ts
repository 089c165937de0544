import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { uploadedBytes } from '../helpers/uploaded-bytes.ts'

const bytes = Buffer.from('the bytes of a blob, chunk by chunk')
const digest = sha256(bytes)
const chunks = [bytes.subarray(0, 10), bytes.subarray(10)] as const

async function begin(registry: RunningServer, query = ''): Promise<string> {
  const answer = await registry.ask('POST', `/v2/app/blobs/uploads/${query}`)
  expect(answer).toMatchObject({ status: 202, headers: { range: '0-0' } })
  expect(answer.headers.location).toBe(`/v2/app/blobs/uploads/${answer.headers['docker-upload-uuid']}`)
  return answer.headers.location!
}

test('one POST uploads a whole blob', async () => {
  await using registry = await runningServer()
  const answer = await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: bytes })
  expect(answer).toMatchObject({
    status: 201,
    headers: { location: `/v2/app/blobs/${digest}`, 'docker-content-digest': digest },
  })
  expect((await registry.ask('GET', answer.headers.location!)).body).toEqual(bytes)
})

test('POST and PUT upload a whole blob', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  expect((await registry.ask('PUT', `${location}?digest=${digest}`, { body: bytes })).status).toBe(201)
  expect(await blobsOf(registry.store)).toEqual([digest])
})

test('PATCH uploads a stream of unknown length, and an empty PUT ends it', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  const answer = await registry.ask('PATCH', location, { body: chunks })
  expect(answer).toMatchObject({ status: 202, headers: { range: `0-${bytes.length - 1}`, location } })
  expect((await registry.ask('PUT', `${location}?digest=${digest}`)).status).toBe(201)
  expect(await blobsOf(registry.store)).toEqual([digest])
})

test('PATCH uploads chunks with ranges, and PUT the last one', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  const first = { 'content-range': '0-9', 'content-length': '10' }
  expect((await registry.ask('PATCH', location, { headers: first, body: chunks[0] })).headers.range).toBe('0-9')
  expect(await registry.ask('GET', location)).toMatchObject({ status: 204, headers: { range: '0-9', location } })
  const last = { 'content-range': `bytes 10-${bytes.length - 1}/*` }
  const answer = await registry.ask('PUT', `${location}?digest=${digest}`, { headers: last, body: chunks[1] })
  expect(answer.status).toBe(201)
  expect(await blobsOf(registry.store)).toEqual([digest])
})

test.each(['5-9', '1-10', '0-9', 'x', '10-5', '-5', '10'])(
  'a chunk out of order is refused, and the upload can be resumed: %s',
  async range => {
    await using registry = await runningServer()
    const location = await begin(registry)
    await registry.ask('PATCH', location, { headers: { 'content-range': '0-9' }, body: chunks[0] })
    const wrong = await registry.ask('PATCH', location, { headers: { 'content-range': range }, body: chunks[0] })
    expect(wrong).toMatchObject({ status: 416, headers: { range: '0-9', location } })
    await registry.ask('PATCH', location, { body: chunks[1] })
    expect((await registry.ask('PUT', `${location}?digest=${digest}`)).status).toBe(201)
  },
)

test.each([
  ['longer than announced, with its length', { 'content-range': '0-4', 'content-length': '10' }],
  ['longer than announced', { 'content-range': '0-4', 'transfer-encoding': 'chunked' }],
  ['shorter than announced', { 'content-range': '0-99', 'transfer-encoding': 'chunked' }],
])('a chunk %s is refused', async (_, headers) => {
  await using registry = await runningServer()
  const location = await begin(registry)
  const answer = await registry.ask('PATCH', location, { headers: { ...headers }, body: chunks[0] })
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'SIZE_INVALID'])
  expect(await registry.ask('GET', location)).toMatchObject({ headers: { range: answer.headers.range } })
})

test('an upload with a wrong digest is refused and leaves no blob', async () => {
  await using registry = await runningServer()
  for (const ask of [
    () => registry.ask('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: 'wrong' }),
    async () => registry.ask('PUT', `${await begin(registry)}?digest=${digest}`, { body: 'wrong' }),
  ]) {
    const answer = await ask()
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'DIGEST_INVALID'])
  }
  expect(await blobsOf(registry.store)).toEqual([])
})

test('an ended upload is unknown', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  await registry.ask('PUT', `${location}?digest=${digest}`, { body: 'wrong' })
  for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
    const answer = await registry.ask(method, `${location}?digest=${digest}`)
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
  }
})

test('an upload is found in its own repository only', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  expect((await registry.ask('GET', location.replace('/app/', '/other/'))).status).toBe(404)
})

test('DELETE cancels an upload', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  await registry.ask('PATCH', location, { body: chunks[0] })
  expect((await registry.ask('DELETE', location)).status).toBe(204)
  expect((await registry.ask('GET', location)).status).toBe(404)
})

test('an upload cannot end without a digest, and can be resumed', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  for (const query of ['', '?digest=', '?digest=sha256:abc']) {
    const answer = await registry.ask('PUT', `${location}${query}`, { body: bytes })
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'DIGEST_INVALID'])
  }
  expect((await registry.ask('PUT', `${location}?digest=${digest}`, { body: bytes })).status).toBe(201)
})

test('an upload uses the algorithm named at its start, or that of the digest of a whole blob', async () => {
  await using registry = await runningServer()
  const sha512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}`
  const said = await begin(registry, '?digest-algorithm=sha512')
  await registry.ask('PATCH', said, { body: bytes })
  expect((await registry.ask('PUT', `${said}?digest=${sha512}`)).status).toBe(201)
  const atOnce = await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${sha512}`, { body: bytes })
  expect(atOnce.status).toBe(201)
  const unknown = await registry.ask('POST', '/v2/app/blobs/uploads/?digest-algorithm=constructor')
  expect(unknown.status).toBe(400)
})

describe('a digest of any algorithm ends an upload, whatever its start named', () => {
  const large = Buffer.alloc(3_000_000, 'more than the server saves at the end of a request')
  const half = large.length / 2

  for (const [kind, open] of [
    ['memory', async () => createMemoryStore()],
    ['a directory', (path: string) => openStore(path)],
    ['a directory, hashed by OpenSSL', (path: string) => openStore(path, { hasher: 'native' })],
  ] as const) {
    test(`in ${kind}`, async () => {
      using directory = temporaryDirectory('algorithms')
      await using registry = await runningServer({}, await open(directory.path))
      const algorithms = kind.includes('OpenSSL')
        ? (['sha256', 'sha512'] as const)
        : (['sha256', 'sha512', 'blake3'] as const)
      for (const said of ['', ...algorithms]) {
        for (const algorithm of algorithms) {
          const body = Buffer.concat([large, Buffer.from(`${said} ${algorithm}`)])
          const digest = await digestOf(body, { algorithm })
          const location = await begin(registry, said === '' ? '' : `?digest-algorithm=${said}`)
          for (const piece of [body.subarray(0, half), body.subarray(half, half + 10)]) {
            expect((await registry.ask('PATCH', location, { body: piece })).status).toBe(202)
          }
          const answer = await registry.ask('PUT', `${location}?digest=${digest}`, { body: body.subarray(half + 10) })
          expect([said, algorithm, answer.status]).toEqual([said, algorithm, 201])
          expect((await registry.ask('GET', `/v2/app/blobs/${digest}`)).body.equals(body)).toBe(true)
        }
      }
    })
  }

  test('a wrong digest is refused, and the digest of a whole blob is computed while it arrives', async () => {
    await using registry = await runningServer()
    const sha512 = await digestOf(large, { algorithm: 'sha512' })
    const opened: (string | undefined)[] = []
    const ingest = registry.store.ingest.bind(registry.store)
    registry.store.ingest = (key, options) => {
      opened.push(options?.algorithm)
      return ingest(key, options)
    }
    const whole = await begin(registry)
    expect((await registry.ask('PUT', `${whole}?digest=${sha512}`, { body: large })).status).toBe(201)
    expect(opened).toEqual(['sha512'])
    const late = await begin(registry)
    await registry.ask('PATCH', late, { body: 'something else' })
    const refused = await registry.ask('PUT', `${late}?digest=${sha512}`)
    expect([refused.status, refused.json().errors[0]!.code]).toEqual([400, 'DIGEST_INVALID'])
    expect((await registry.ask('GET', late)).status).toBe(404)
  })
})

test('the empty blob can be uploaded', async () => {
  await using registry = await runningServer()
  expect((await registry.ask('PUT', `${await begin(registry)}?digest=${sha256('')}`)).status).toBe(201)
  expect((await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${sha256('')}`)).status).toBe(201)
})

test('a stored blob is mounted from any repository', async () => {
  await using registry = await runningServer()
  await registry.store.put(bytes)
  for (const query of [`?mount=${digest}&from=other/repo`, `?mount=${digest}`]) {
    const answer = await registry.ask('POST', `/v2/app/blobs/uploads/${query}`)
    expect(answer).toMatchObject({ status: 201, headers: { location: `/v2/app/blobs/${digest}` } })
  }
})

test.each([`?mount=${sha256('absent')}&from=other`, '?mount=nonsense&from=other'])(
  'an impossible mount becomes an upload: %s',
  async query => {
    await using registry = await runningServer()
    const location = await begin(registry, query)
    expect((await registry.ask('PUT', `${location}?digest=${digest}`, { body: bytes })).status).toBe(201)
  },
)

test('an upload after an impossible mount computes the algorithm of that digest', async () => {
  await using registry = await runningServer()
  const wanted = `sha512:${createHash('sha512').update(bytes).digest('hex')}`
  const location = await begin(registry, `?mount=${wanted}`)
  expect((await registry.ask('PATCH', location, { body: bytes })).status).toBe(202)
  expect((await registry.ask('PUT', `${location}?digest=${wanted}`)).status).toBe(201)
  expect(await registry.store.stat(wanted as Digest)).toMatchObject({ size: bytes.byteLength })
})

test('an idle upload is dropped', async () => {
  await using registry = await runningServer({ uploadIdleMs: 50 })
  const location = await begin(registry)
  await registry.ask('PATCH', location, { body: chunks[0] })
  await expect.poll(async () => (await registry.ask('GET', location)).status).toBe(404)
})

/** Sends a head and half of its body, waits until the server has written it, and keeps the connection open. */
async function halfRequest(registry: RunningServer, method: string, path: string) {
  const { hostname, port } = new URL(registry.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const written = uploadedBytes(registry.store)
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(500)}`)
  await written
  return socket
}

test('a client that disconnects during a POST with a blob leaves no upload behind', async () => {
  await using registry = await runningServer({ maxUploads: 1 })
  const socket = await halfRequest(registry, 'POST', `/v2/app/blobs/uploads/?digest=${digest}`)
  expect((await registry.ask('POST', '/v2/app/blobs/uploads/')).status).toBe(429)
  socket.destroy()
  await expect.poll(async () => (await registry.ask('POST', '/v2/app/blobs/uploads/')).status).toBe(202)
})

test('only one request at a time may write to an upload', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  const socket = await halfRequest(registry, 'PATCH', location)
  const second = await registry.ask('PATCH', location, { body: bytes })
  expect([second.status, second.json().errors[0]!.code]).toEqual([409, 'BLOB_UPLOAD_INVALID'])
  socket.destroy()
})

test('a client that disconnects during a chunk can resume after the bytes that arrived', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  const socket = await halfRequest(registry, 'PATCH', location)
  socket.destroy()
  const rest = { headers: { 'content-range': '500-509' }, body: 'y'.repeat(10) }
  await expect.poll(async () => (await registry.ask('PATCH', location, rest)).status).toBe(202)
  const whole = sha256('x'.repeat(500) + 'y'.repeat(10))
  expect((await registry.ask('PUT', `${location}?digest=${whole}`)).status).toBe(201)
})

test('DELETE of an upload during a PATCH ends both', async () => {
  await using registry = await runningServer()
  const location = await begin(registry)
  const socket = await halfRequest(registry, 'PATCH', location)
  expect((await registry.ask('DELETE', location)).status).toBe(204)
  const answer = new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())))
  socket.write('x'.repeat(500))
  expect(await answer).toContain('BLOB_UPLOAD_UNKNOWN')
  socket.destroy()
})

test('abandoned uploads leave no file and no descriptor behind', async () => {
  using directory = temporaryDirectory('uploads')
  const store = await openStore(directory.path)
  {
    await using registry = await runningServer({}, store)
    const socket = await halfRequest(registry, 'POST', `/v2/app/blobs/uploads/?digest=${digest}`)
    socket.destroy()
    const location = await begin(registry)
    await registry.ask('PATCH', location, { body: bytes })
    await registry.server.close()
    expect(await blobsOf(store)).toEqual([])
  }
  expect(openFilesBelow(directory.path)).toEqual([])
  await using again = await openStore(directory.path)
  const writer = await again.ingest('a new one')
  expect(writer.offset).toBe(0)
  await writer.abort()
})

test('a store that cannot write fails the upload and no other request', async () => {
  const store = createMemoryStore()
  await using registry = await runningServer({}, store)
  const { ingest } = store
  store.ingest = async (...args) => {
    const writer = await ingest.apply(store, args)
    writer.write = () => Promise.reject(new Error('disk full'))
    return writer
  }
  expect((await registry.ask('PATCH', await begin(registry), { body: bytes })).status).toBe(500)
  store.ingest = () => Promise.reject(new Error('no more files'))
  expect((await registry.ask('PATCH', await begin(registry), { body: bytes })).status).toBe(500)
  expect((await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: bytes })).status).toBe(500)
  expect(await store.stat(digest as Digest)).toBeUndefined()
})

test('ten concurrent uploads of one blob store it once and all succeed', async () => {
  await using registry = await runningServer()
  const path = `/v2/app/blobs/uploads/?digest=${digest}`
  const answers = await Promise.all(Array.from({ length: 10 }, () => registry.ask('POST', path, { body: bytes })))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201))
  expect(await blobsOf(registry.store)).toEqual([digest])
})

test('the server announces minChunkBytes, and only the last chunk may be smaller', async () => {
  await using registry = await runningServer({ minChunkBytes: 4 })
  const started = await registry.ask('POST', '/v2/app/blobs/uploads/')
  expect(started.headers['oci-chunk-min-length']).toBe('4')
  const at = started.headers.location!
  const piece = (body: string) => registry.ask('PATCH', at, { body })
  expect((await piece('abcd')).status).toBe(202)
  expect((await piece('ef')).status).toBe(202)
  const answer = await piece('ghij')
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([416, 'SIZE_INVALID'])
  expect((await registry.ask('PUT', `${at}?digest=${sha256('abcdef')}`)).status).toBe(201)
})
