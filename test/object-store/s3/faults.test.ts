import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Bucket, type BucketOptions, openBucket } from '../../../lib/object-store/index.ts'
import { HttpClient } from '../../../lib/object-store/s3/transport/http-client.ts'
import { type MemoryS3, startMemoryS3 } from '../../helpers/memory-s3.ts'
import { type S3Fault, type S3Proxy, startS3Proxy } from '../../helpers/s3-proxy.ts'
import { startRawServer } from '../../helpers/start-raw-server.ts'

/* A server in memory behind a proxy that does harm: nothing is lost, nothing is told wrongly, every wait ends. */

let server: MemoryS3
let proxy: S3Proxy
let bucket: Bucket

const retry = { baseDelayMs: 2, maxDelayMs: 10 }
const timeouts = { connectMs: 5000, answerMs: 5000, idleMs: 5000 }
/** Longer than the time of a test. */
const patient = { connectMs: 600_000, answerMs: 600_000, idleMs: 600_000 }
/** For services that hang. */
const impatient = { timeouts: { connectMs: 5000, answerMs: 400, idleMs: 400 } }
const open = (options: Partial<BucketOptions> = {}) =>
  openBucket({
    endpoint: proxy.endpoint,
    bucket: 'bucket',
    region: 'us-east-1',
    credentials: server.settings.key,
    retry,
    timeouts,
    ...options,
  })

beforeEach(async () => {
  server = await startMemoryS3()
  proxy = await startS3Proxy(server.endpoint)
  bucket = await open()
})

afterEach(async () => {
  bucket.close()
  await proxy[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Does these faults to the next requests, one each. */
function next(...faults: (S3Fault | undefined)[]): void {
  proxy.fault = () => faults.shift()
}

async function read(key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await bucket.get(key))!.body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const every: S3Fault[] = ['cut', 'lose', 'half', 'half-written', 'hang', 408, 409, 429, 500, 502, 503, 504]

test.each(every)('a write, a read, a list and a delete survive the fault %s', async fault => {
  if (fault === 'hang') bucket = await open(impatient)
  const bytes = randomBytes(100_000)
  next(fault, fault)
  expect(await bucket.put('x', bytes)).toMatchObject({ stored: true })
  next(fault)
  expect((await read('x')).equals(bytes)).toBe(true)
  next(fault, fault)
  for await (const { size } of bucket.list('')) expect(size).toBe(bytes.byteLength)
  next(fault)
  await bucket.delete('x')
  expect(server.objects.size).toBe(0)
  expect(proxy.done.length).toBeGreaterThanOrEqual(4)
})

test.each<S3Fault>(['half', 'cut', 'lose', 503])('a read of a missing object survives the fault %s', async fault => {
  next(fault)
  expect(await bucket.get('missing')).toBeUndefined()
  await bucket.put('x', Buffer.from('x'))
  next(fault)
  await expect(bucket.get('x', { ifMatch: '"0"' })).rejects.toMatchObject({ code: 'ERR_BUCKET_OBJECT_CHANGED' })
})

test.each<S3Fault>(['lose', 'repeat', 'delay'])(
  'a conditional write whose request suffers %s knows that it has won',
  async fault => {
    next(fault)
    expect(await bucket.put('new', Buffer.from('1'), { ifNoneMatch: true })).toMatchObject({ stored: true })
    const { etag } = (await bucket.head('new'))!
    next(fault)
    expect(await bucket.put('new', Buffer.from('2'), { ifMatch: etag })).toMatchObject({ stored: true })
    expect((await read('new')).toString()).toBe('2')
  },
)

test('a conditional write that lost, after a lost answer, does not claim to have won', async () => {
  await bucket.put('there', Buffer.from('other'))
  next('lose')
  const result = await bucket.put('there', Buffer.from('mine'), { ifNoneMatch: true })
  expect(result).toMatchObject({ stored: false, uncertain: true, existing: { size: 5 } })
})

test('an engine that compares plain ETags gets them plain, and lost races stay lost', async () => {
  server.settings.conditions = 'plain'
  await bucket.put('x', Buffer.from('1'))
  const { etag } = (await bucket.head('x'))!
  expect(await bucket.put('x', Buffer.from('2'), { ifMatch: '"0"' })).toMatchObject({ stored: false })
  expect(await bucket.put('x', Buffer.from('3'), { ifMatch: etag })).toMatchObject({ stored: true })
  expect(await bucket.put('x', Buffer.from('4'), { ifMatch: etag })).toMatchObject({ stored: false })
  expect((await read('x')).toString()).toBe('3')
})

test('a multipart upload survives each fault, and its completion is told once and right', async () => {
  const part = randomBytes(50_000)
  for (const fault of ['lose', 'half', 'repeat', 503, 'cut'] as S3Fault[]) {
    next(fault)
    const id = await bucket.startUpload('big')
    next(fault)
    const etag = await bucket.putPart('big', id, 1, part)
    next(fault)
    expect(await bucket.completeUpload('big', id, [{ number: 1, etag }])).toMatchObject({ stored: true })
    expect((await read('big')).equals(part)).toBe(true)
  }
})

test('a read goes on from the byte that is missing, and stops if the object was replaced', async () => {
  const bytes = randomBytes(400_000)
  await bucket.put('x', bytes)
  next('half', 'half', 'half', 'cut', 'half')
  expect((await read('x')).equals(bytes)).toBe(true)
  // The one that was cut did not get to the server.
  expect(server.requests.filter(line => line === 'GET /bucket/x')).toHaveLength(5)
  next('half')
  const answer = await bucket.get('x')
  await bucket.put('x', randomBytes(400_000))
  const reading = async () => {
    for await (const _ of answer!.body);
  }
  await expect(reading()).rejects.toMatchObject({ code: 'ERR_BUCKET_OBJECT_CHANGED' })
})

test('an answer that is sent twice is not taken for the answer of the next request', async () => {
  const [one, two] = [Buffer.from('content of one'), Buffer.from('content of two')]
  await bucket.put('one', one)
  await bucket.put('two', two)
  for (let i = 0; i < 10; i++) {
    next('twice', 'twice')
    expect([(await read('one')).toString(), (await read('two')).toString()]).toEqual([String(one), String(two)])
  }
})

test('answers in another order belong to their own requests', async () => {
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  await Promise.all(keys.map(key => bucket.put(key, Buffer.from(key))))
  let count = 0
  proxy.fault = () => (count++ % 2 === 0 ? 'delay' : undefined)
  expect((await Promise.all(keys.map(read))).map(String)).toEqual(keys)
})

test('a bulk delete says that it is repeated if the service may still work on the try before', async () => {
  for (const [fault, repeats] of [
    ['lose', 1],
    ['cut', 1],
    [503, 0],
  ] as [S3Fault, number][]) {
    await bucket.put('x', Buffer.from('x'))
    next(fault)
    let repeated = 0
    expect(await bucket.deleteMany(['x'], { onRepeat: () => repeated++ })).toEqual([])
    expect({ fault, repeated }).toEqual({ fault, repeated: repeats })
    expect(await bucket.head('x')).toBeUndefined()
  }
})

test('a fault that lasts ends the call after eight tries with a typed error', async () => {
  for (const [fault, code] of [
    [503, 'ERR_BUCKET_BUSY'],
    [500, 'ERR_BUCKET_BUSY'],
    ['cut', 'ERR_BUCKET_NETWORK'],
    ['hang', 'ERR_BUCKET_NETWORK'],
  ] as const) {
    proxy.done.length = 0
    proxy.fault = () => fault
    if (fault === 'hang') bucket = await open(impatient)
    await expect(bucket.put('x', Buffer.from('x'))).rejects.toMatchObject({ code, retryable: true, method: 'PUT' })
    expect(proxy.done).toHaveLength(8)
  }
})

test('at most 64 requests wait for their answers at once', async () => {
  let open = 0
  let most = 0
  const busy = await startRawServer(socket => {
    const answer = () => {
      open--
      socket.end('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n')
    }
    socket.once('data', () => {
      most = Math.max(most, ++open)
      setTimeout(answer, 100)
    })
  })
  const many = await openBucket({
    ...{ endpoint: `http://${busy.host}`, bucket: 'bucket', region: 'us-east-1', credentials: server.settings.key },
    retry: { tries: 2, baseDelayMs: 1 },
  })
  const heads = Array.from({ length: 200 }, (_, i) => many.head(`k${i}`))
  const codes = (await Promise.allSettled(heads)).map(head => head.status === 'rejected' && head.reason.code)
  expect(new Set(codes)).toEqual(new Set(['ERR_BUCKET_BUSY']))
  expect(most).toBeGreaterThan(32)
  expect(most).toBeLessThanOrEqual(64)
  await busy[Symbol.asyncDispose]()
})

test('any number of objects whose bytes wait for other requests are stored at once', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `k${i}`)
  async function* bytes() {
    await bucket.head('another')
    yield Buffer.from('bytes')
  }
  const results = await Promise.all(names.map(name => bucket.put(name, { size: 5, open: bytes })))
  expect(results.every(({ stored }) => stored)).toBe(true)
})

test('a signal ends a call at once with its reason, also while it waits for a retry', async () => {
  const slow = await open({ timeouts: patient, retry: { baseDelayMs: 600_000, maxDelayMs: 600_000 } })
  for (const fault of ['hang', 503] as S3Fault[]) {
    proxy.fault = () => fault
    const reason = new Error('enough')
    await expect(slow.put('x', Buffer.from('x'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const stop = new AbortController()
    setTimeout(() => stop.abort(reason), 30)
    await expect(slow.head('x', { signal: stop.signal })).rejects.toBe(reason)
  }
  slow.close()
})

test('a signal that aborts before the request is opened ends the call at once', async () => {
  proxy.fault = () => 'hang'
  const client = new HttpClient({ origin: new URL(proxy.endpoint), timeouts: patient })
  const stop = new AbortController()
  const sent = client.exchange({ method: 'GET', path: '/bucket/x', headers: {}, signal: stop.signal })
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(sent).rejects.toBe(reason)
  client.close()
})

test('a service that sends interim answers without end is left with a typed error', async () => {
  await using endless = await startRawServer(socket => {
    const more = () =>
      void (socket.destroyed || socket.write('HTTP/1.1 102 Go on\r\n\r\n'.repeat(50), () => setImmediate(more)))
    socket.once('data', more)
  })
  const other = await open({ endpoint: `http://${endless.host}` })
  await expect(other.head('x')).rejects.toMatchObject({
    code: 'ERR_BUCKET_PROTOCOL',
    message: expect.stringContaining('more than 100 interim answers (1xx): HEAD http://'),
  })
  other.close()
})

test('a service whose clock differs gets requests signed by its own clock', async () => {
  server.settings.aheadMs = 2 * 3600_000
  expect(await bucket.put('x', Buffer.from('x'))).toMatchObject({ stored: true })
  expect(server.requests).toHaveLength(2)
  const address = await bucket.presign('x', { expiresIn: 60 })
  expect(await (await fetch(address)).text()).toBe('x')
  expect((await bucket.head('x'))!.serverTime - Date.now()).toBeGreaterThan(3600_000)
  expect(server.requests).toHaveLength(4)
})

test('a bucket in another region is told by its name', async () => {
  server.settings.region = 'eu-west-7'
  const error = await bucket.put('x', Buffer.from('x')).catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ code: 'ERR_BUCKET_REGION', message: expect.stringContaining('eu-west-7') })
})

test('an engine that ignores conditions or does not know them is found out', async () => {
  server.settings.conditions = 'ignored'
  expect(await bucket.conditions()).toEqual({ ifNoneMatch: false, ifMatch: false })
  server.settings.conditions = 'lenient'
  const lenient = await open()
  expect(await lenient.conditions()).toEqual({ ifNoneMatch: true, ifMatch: false })
  lenient.close()
  server.settings.conditions = 'refused'
  const other = await open()
  expect(await other.conditions()).toEqual({ ifNoneMatch: false, ifMatch: false })
  const refused = other.put('x', Buffer.from('x'), { ifNoneMatch: true })
  await expect(refused).rejects.toMatchObject({ code: 'ERR_BUCKET_UNSUPPORTED', status: 501 })
  other.close()
  expect(server.objects.size).toBe(0)
})

test('conditions are probed once, and again after a failed probe', async () => {
  proxy.fault = () => 'cut'
  await expect(bucket.conditions()).rejects.toMatchObject({ code: 'ERR_BUCKET_NETWORK' })
  proxy.fault = () => undefined
  expect(await bucket.conditions()).toEqual({ ifNoneMatch: true, ifMatch: true })
  const { length } = server.requests
  await Promise.all([bucket.conditions(), bucket.conditions()])
  expect(server.requests).toHaveLength(length)
})

test('a bulk delete tells the keys that are still there', async () => {
  await Promise.all(['a', 'b.locked', 'c'].map(key => bucket.put(key, Buffer.from(key))))
  expect(await bucket.deleteMany(['a', 'b.locked', 'c'])).toMatchObject([{ key: 'b.locked', code: 'AccessDenied' }])
  expect([...server.objects.keys()]).toEqual(['b.locked'])
  const many = Array.from({ length: 2500 }, (_, i) => `n${i}`)
  const before = server.requests.length
  expect(await bucket.deleteMany(many)).toEqual([])
  expect(server.requests.length - before).toBe(3)
})
