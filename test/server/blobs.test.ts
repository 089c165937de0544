import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseRange } from '../../lib/server/blobs/parse-range.ts'
import type { RegistryRequestEvent } from '../../lib/server/index.ts'
import { pushImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { runningServer } from '../helpers/running-server.ts'

const big = Buffer.alloc(3_000_000, 'some content that repeats ')

test('GET of a blob gives its bytes, length and digest', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(big)
  const headers = {
    'content-length': `${big.length}`,
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    'content-type': 'application/octet-stream',
  }
  const path = `/v2/any/repo/blobs/${digest}`
  const whole = await registry.ask('GET', path)
  expect(whole).toMatchObject({ status: 200, headers, complete: true })
  expect(sha256(whole.body)).toBe(digest)
  expect(await registry.ask('HEAD', path)).toMatchObject({ status: 200, headers, body: Buffer.alloc(0) })
})

test('the empty blob is served', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put([])
  expect(await registry.ask('GET', `/v2/app/blobs/${digest}`)).toMatchObject({
    status: 200,
    headers: { 'content-length': '0' },
    complete: true,
  })
})

test.each([
  ['bytes=0-9', 0, 10],
  ['bytes=100-', 100, big.length],
  ['bytes=-7', big.length - 7, big.length],
  ['bytes=2999999-2999999', 2_999_999, 3_000_000],
  ['bytes=2999990-99999999', 2_999_990, 3_000_000],
  ['bytes=-99999999', 0, big.length],
])('a range is answered with 206: %s', async (range, start, end) => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(big)
  const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`, { headers: { range } })
  expect(answer).toMatchObject({
    status: 206,
    headers: { 'content-range': `bytes ${start}-${end - 1}/${big.length}`, 'content-length': `${end - start}` },
    complete: true,
  })
  expect(answer.body.equals(big.subarray(start, end))).toBe(true)
})

test.each(['bytes=3000000-', 'bytes=9999999-99999999', 'bytes=-0', 'bytes=5-4'])(
  'an unsatisfiable range is answered with 416: %s',
  async range => {
    await using registry = await runningServer()
    const { digest } = await registry.store.put(big)
    const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`, { headers: { range } })
    expect(answer).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */3000000' } })
  },
)

test.each(['bytes=0-1,3-4', 'bytes=-', 'bytes=a-b', 'pages=1-2', 'bytes=99999999999999999999-'])(
  'a range of unknown form is ignored: %s',
  async range => {
    await using registry = await runningServer()
    const { digest } = await registry.store.put(big)
    const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`, { headers: { range } })
    expect([answer.status, answer.body.length]).toEqual([200, big.length])
  },
)

test('every range of an empty blob is unsatisfiable', () => {
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
  expect(parseRange('bytes=-5', 0)).toBe('unsatisfiable')
  expect(parseRange(undefined, 5)).toBeUndefined()
})

test('the server evaluates If-None-Match and If-Range', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(big)
  const path = `/v2/app/blobs/${digest}`
  const etag = `"${digest}"`
  const unchanged = await registry.ask('GET', path, { headers: { 'if-none-match': etag } })
  expect([unchanged.status, unchanged.body.length]).toEqual([304, 0])
  const range = 'bytes=0-9'
  expect((await registry.ask('GET', path, { headers: { range, 'if-range': etag } })).status).toBe(206)
  expect((await registry.ask('GET', path, { headers: { range, 'if-range': '"other"' } })).status).toBe(200)
})

test('an unknown blob is answered with 404, an invalid digest with 400', async () => {
  await using registry = await runningServer()
  for (const method of ['GET', 'DELETE']) {
    const unknown = await registry.ask(method, `/v2/app/blobs/${sha256('absent')}`)
    expect([unknown.status, unknown.json().errors[0]!.code]).toEqual([404, 'BLOB_UNKNOWN'])
    const invalid = await registry.ask(method, '/v2/app/blobs/sha256:..%2f..%2fetc')
    expect([404, 400]).toContain(invalid.status)
    const short = await registry.ask(method, '/v2/app/blobs/sha256:abc')
    expect([short.status, short.json().errors[0]!.code]).toEqual([400, 'DIGEST_INVALID'])
  }
  expect((await registry.ask('HEAD', `/v2/app/blobs/${sha256('absent')}`)).status).toBe(404)
})

test.each([10, 3_000_000])('a damaged blob of %s bytes breaks the connection before it is whole', async size => {
  const events: RegistryRequestEvent[] = []
  await using registry = await runningServer({ onRequest: event => events.push(event) })
  const { digest } = await registry.store.put(big.subarray(0, size))
  const { read } = registry.store
  registry.store.read = async function* (...args) {
    yield* read.apply(registry.store, args)
    throw new Error('the digest is another')
  }
  const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`).catch(() => undefined)
  const intact = answer?.status === 200 && answer.complete
  expect(intact).toBe(false)
  expect(answer?.body.length ?? 0).not.toBe(size)
  expect((await registry.ask('GET', '/v2/')).status).toBe(200)
  expect(events[0]).toMatchObject({ complete: size === 10 })
})

test('a blob deleted between stat and read is answered with 404', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(big)
  const { stat } = registry.store
  registry.store.stat = async (...args) => {
    const info = await stat.apply(registry.store, args)
    await registry.store.delete(digest)
    return info
  }
  expect((await registry.ask('GET', `/v2/app/blobs/${digest}`)).status).toBe(404)
})

test('DELETE removes a blob that no image needs, and refuses any other', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const { digest: free } = await registry.store.put(big)
  expect((await registry.ask('DELETE', `/v2/app/blobs/${free}`)).status).toBe(202)
  expect((await registry.ask('GET', `/v2/app/blobs/${free}`)).status).toBe(404)
  for (const { digest } of image.blobs) {
    expect((await registry.ask('DELETE', `/v2/elsewhere/blobs/${digest}`)).status).toBe(405)
    expect((await registry.ask('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(200)
  }
})

test('concurrent clients get the same bytes', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(big)
  const answers = await Promise.all(Array.from({ length: 20 }, () => registry.ask('GET', `/v2/a/blobs/${digest}`)))
  const hex = createHash('sha256').update(big).digest('hex')
  expect(answers.every(({ body }) => createHash('sha256').update(body).digest('hex') === hex)).toBe(true)
})
