import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bucket, openBucket } from '../../../lib/object-store/index.ts'
import { createBucket, type S3Engine } from '../../helpers/create-bucket.ts'
import { fetchUntil } from '../../helpers/fetch-until.ts'
import { type MemoryS3, startMemoryS3 } from '../../helpers/memory-s3.ts'
import { needsCephRgw, startCephRgw } from '../../helpers/start-ceph-rgw.ts'
import { needsSwift, startSwift } from '../../helpers/start-swift.ts'

/* The same acts against a strict server in memory and against each engine that is installed here. */

const MiB = 1024 * 1024
const text = (value: string) => Buffer.from(value)

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

let memory: MemoryS3 | undefined
interface Engine {
  readonly needsEngine: () => boolean
  readonly start: () => Promise<S3Engine>
  /** The engine enforces conditions of writes. */
  readonly enforces: boolean
}

const engines: Record<string, Engine> = {
  'a server in memory': {
    needsEngine: () => true,
    async start() {
      memory = await startMemoryS3()
      return { endpoint: memory.endpoint, region: 'us-east-1', credentials: memory.settings.key }
    },
    enforces: true,
  },
  'Ceph RGW': { needsEngine: needsCephRgw, start: startCephRgw, enforces: true },
  Swift: { needsEngine: needsSwift, start: startSwift, enforces: false },
}

afterAll(() => memory?.[Symbol.asyncDispose]())

describe.each(Object.entries(engines))('over %s', (name, { needsEngine, start, enforces }) => {
  const isThere = needsEngine()
  let engine: S3Engine
  let bucket: Bucket
  beforeAll(async () => {
    if (!isThere) return
    engine = await start()
    const named = name === 'a server in memory' ? 'bucket' : `t-${randomUUID()}`
    if (named !== 'bucket') await createBucket(engine, named)
    bucket = await openBucket({ ...engine, bucket: named, prefix: 'a prefix/ü' })
  }, 600_000)
  afterAll(() => bucket?.close())
  // Waits for an engine that is busy with the other test files.
  const it = (title: string, run: () => Promise<void>) => test.skipIf(!isThere)(title, { timeout: 240_000 }, run)

  it('an object comes back as it was put, with its facts by the clock of the service', async () => {
    const bytes = randomBytes(300_000)
    const put = await bucket.put('x/y z+ä', bytes)
    const head = await bucket.head('x/y z+ä')
    expect(put).toMatchObject({ stored: true, etag: head!.etag })
    expect(head).toMatchObject({ key: 'x/y z+ä', size: bytes.byteLength })
    expect(Math.abs(head!.modified - head!.serverTime)).toBeLessThan(60_000)
    const got = await bucket.get('x/y z+ä')
    expect(got!.facts).toMatchObject({ size: bytes.byteLength, etag: head!.etag })
    expect((await read(got!.body)).equals(bytes)).toBe(true)
    const part = await bucket.get('x/y z+ä', { range: { offset: 1000, length: 5000 } })
    expect(part!.facts.size).toBe(bytes.byteLength)
    expect((await read(part!.body)).equals(bytes.subarray(1000, 6000))).toBe(true)
    const end = await bucket.get('x/y z+ä', { range: { offset: 299_999, length: 50 } })
    expect((await read(end!.body)).equals(bytes.subarray(299_999))).toBe(true)
  })

  it('an object that is missing is undefined, and deleting it does nothing', async () => {
    expect(await bucket.head('none')).toBeUndefined()
    expect(await bucket.get('none')).toBeUndefined()
    expect(await bucket.copy('none', 'other')).toBe(false)
    await bucket.delete('none')
  })

  it('an empty object and a stream with a known hash can be put', async () => {
    await bucket.put('empty', new Uint8Array())
    expect((await read((await bucket.get('empty'))!.body)).byteLength).toBe(0)
    const chunks = () => [text('one '), text('two')]
    await bucket.put('stream', { open: chunks, size: 7 })
    expect((await read((await bucket.get('stream'))!.body)).toString()).toBe('one two')
    const wrong = { open: chunks, size: 7, sha256: '0'.repeat(64) }
    await expect(bucket.put('wrong', wrong)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_BUCKET/) })
    expect(await bucket.head('wrong')).toBeUndefined()
    await expect(bucket.put('short', { open: chunks, size: 8 })).rejects.toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
    await expect(bucket.put('long', { open: chunks, size: 6 })).rejects.toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
  })

  it('conditions that are not enforced are told, and a write under one is refused', async () => {
    expect(await bucket.conditions()).toEqual({ ifNoneMatch: enforces, ifMatch: enforces })
    expect(await all(bucket.listFolders('.layerstore/'))).toEqual([])
    if (enforces) return
    const refused = { code: 'ERR_BUCKET_UNSUPPORTED', status: 501 }
    await expect(bucket.put('new', text('1'), { ifNoneMatch: true })).rejects.toMatchObject(refused)
    await expect(bucket.put('new', text('1'), { ifMatch: '"1"' })).rejects.toMatchObject(refused)
    expect(await bucket.head('new')).toBeUndefined()
  })

  if (enforces)
    it('a lost race tells what is there', async () => {
      const first = await bucket.put('cas', text('1'), { ifNoneMatch: true })
      expect(first.stored).toBe(true)
      const second = await bucket.put('cas', text('2'), { ifNoneMatch: true })
      const { etag } = (await bucket.head('cas'))!
      expect(second).toMatchObject({ stored: false, uncertain: false, existing: { etag, size: 1 } })
      const third = await bucket.put('cas', text('3'), { ifMatch: etag })
      expect(third.stored).toBe(true)
      expect(await bucket.put('cas', text('4'), { ifMatch: etag })).toMatchObject({ stored: false })
      expect(await bucket.put('gone', text('5'), { ifMatch: etag })).toMatchObject({
        stored: false,
        existing: undefined,
      })
      await expect(bucket.get('cas', { ifMatch: etag })).rejects.toMatchObject({ code: 'ERR_BUCKET_OBJECT_CHANGED' })
    })

  if (enforces)
    it('of eight writers that create one key at once, one wins', async () => {
      const writers = Array.from({ length: 8 }, (_, i) =>
        bucket.put('race', text(`writer ${i}`), { ifNoneMatch: true }),
      )
      const results = await Promise.all(writers)
      const winner = results.findIndex(result => result.stored)
      expect(results.filter(result => result.stored)).toHaveLength(1)
      expect((await read((await bucket.get('race'))!.body)).toString()).toBe(`writer ${winner}`)
    })

  it('a listing has pages, an order, folders and only what is below the prefix', async () => {
    const keys = Array.from({ length: 25 }, (_, i) => `list/${String(i).padStart(2, '0')} &<ü>+`)
    await Promise.all([...keys, 'list/sub/a', 'list/sub/b', 'list/tub/c'].map(key => bucket.put(key, text(key))))
    const listed = await all(bucket.list('list/', { pageSize: 7 }))
    expect(listed.map(({ key }) => key)).toEqual([...keys, 'list/sub/a', 'list/sub/b', 'list/tub/c'])
    expect(listed[0]).toMatchObject({ size: text(keys[0]!).byteLength, etag: expect.any(String) })
    const later = await all(bucket.list('list/', { after: keys[22]! }))
    expect(later[0]!.key).toBe(keys[23])
    expect(await all(bucket.listFolders('list/', { pageSize: 5 }))).toEqual(['list/sub/', 'list/tub/'])
    expect(await all(bucket.list('nothing/'))).toEqual([])
  })

  it('many objects are deleted by few requests', async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `many/${i} &"<'>`)
    await Promise.all(keys.map(key => bucket.put(key, text('x'))))
    expect(await bucket.deleteMany([...keys, 'many/none'])).toEqual([])
    expect(await all(bucket.list('many/'))).toEqual([])
  })

  it('parts of a multipart upload become one object, also when its id came from a list', async () => {
    const [one, two] = [randomBytes(5 * MiB), randomBytes(1000)]
    const id = await bucket.startUpload('big', { contentType: 'text/plain' })
    const [first, second] = await Promise.all([bucket.putPart('big', id, 1, one), bucket.putPart('big', id, 2, two)])
    const parts = await all(bucket.listParts('big', id))
    expect(parts).toEqual([
      { number: 1, etag: first, size: one.byteLength },
      { number: 2, etag: second, size: two.byteLength },
    ])
    const uploads = await all(bucket.listUploads('bi'))
    expect(uploads).toMatchObject([{ key: 'big' }])
    expect(Math.abs(uploads[0]!.started - uploads[0]!.serverTime)).toBeLessThan(60_000)
    const done = await bucket.completeUpload('big', uploads[0]!.uploadId, [...parts].reverse())
    expect(done).toMatchObject({ stored: true, etag: (await bucket.head('big'))!.etag })
    expect((await read((await bucket.get('big'))!.body)).equals(Buffer.concat([one, two]))).toBe(true)
    expect(await all(bucket.listUploads(''))).toEqual([])
  })

  it('an upload that was aborted has ended', async () => {
    const id = await bucket.startUpload('aborted')
    const etag = await bucket.putPart('aborted', id, 1, text('part'))
    await bucket.abortUpload('aborted', id)
    await bucket.abortUpload('aborted', id)
    const ended = { code: 'ERR_BUCKET_UPLOAD_NOT_FOUND' }
    await expect(bucket.putPart('aborted', id, 2, text('part'))).rejects.toMatchObject(ended)
    await expect(all(bucket.listParts('aborted', id))).rejects.toMatchObject(ended)
    await expect(bucket.completeUpload('aborted', id, [{ number: 1, etag }])).rejects.toMatchObject(ended)
  })

  it('an object can be copied inside the bucket', async () => {
    await bucket.put('from ü+', text('copied'))
    expect(await bucket.copy('from ü+', 'to')).toBe(true)
    expect((await read((await bucket.get('to'))!.body)).toString()).toBe('copied')
  })

  it('a presigned address serves an object without credentials, until it ends', async () => {
    await bucket.put('signed ü+', text('for all'))
    const response = { contentType: 'text/x-special', contentDisposition: 'attachment; filename="a b"' }
    const address = await bucket.presign('signed ü+', { expiresIn: 600, response })
    const answer = await fetchUntil(address)
    expect(answer.headers.get('content-type')).toBe('text/x-special')
    expect(await answer.text()).toBe('for all')
    const part = await fetchUntil(address, { headers: { range: 'bytes=4-6' } })
    expect([part.status, await part.text()]).toEqual([206, 'all'])
    const other = await fetchUntil(address.replace('signed', 'stolen'))
    expect(other.status).toBe(403)
    await other.text()
  })

  it('wrong keys are refused without a secret in the error', async () => {
    const credentials = { accessKeyId: engine.credentials.accessKeyId, secretAccessKey: 'tops3cret' }
    const wrong = await openBucket({ ...engine, bucket: bucket.address.split('/')[2]!, credentials })
    const error = await wrong.put('x', text('x')).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'ERR_BUCKET_DENIED', wireCode: 'SignatureDoesNotMatch', status: 403 })
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('tops3cret')
    const none = await openBucket({ ...engine, bucket: 'no-such-bucket' })
    await expect(none.head('x')).resolves.toBeUndefined()
    await expect(all(none.list(''))).rejects.toMatchObject({ code: 'ERR_BUCKET_NOT_FOUND' })
    wrong.close()
    none.close()
  })
})
