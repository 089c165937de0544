import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { createOwnerOf } from '../../lib/internal/locks/owner.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { deadPid } from '../helpers/dead-pid.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { readAll } from '../helpers/read-all.ts'

const MIB = 1024 * 1024
/** The smallest parts that S3 allows. */
const PARTS = { partSize: 5 * MIB, concurrency: 2, hasher: 'native' } as const

/** Bytes that do not repeat; made once, as 30 MiB take a while. */
const bytes = Buffer.alloc(11 * MIB + 5)
for (let at = 0; at < bytes.length - 4; at += 4093) bytes.writeUInt32LE(at, at)
const digest = await digestOf(bytes)

async function open(
  objects = new MemoryObjects(),
  hasher: 'wasm' | 'native' = 'native',
): Promise<{ store: Store; objects: MemoryObjects }> {
  const store = await openInMemory(objects, { ...PARTS, hasher })
  onTestFinished(() => store.close())
  return { store, objects }
}

const callsOf = (objects: MemoryObjects, call: string) => objects.calls.filter(said => said.startsWith(`${call} `))

describe('a large blob', () => {
  test('goes in parts to its own key if its digest is known, and is not copied', async () => {
    const { store, objects } = await open()
    await store.put(bytes, { digest })
    expect(objects.text(`blobs/${digest.replace(':', '/')}`)?.length).toBeGreaterThan(0)
    expect(callsOf(objects, 'putPart')).toHaveLength(3)
    expect(callsOf(objects, 'copy')).toHaveLength(0)
    expect((await readAll(store.read(digest))).equals(bytes)).toBe(true)
  })

  test('goes to a temporary key if its digest is unknown, and is copied by the service', async () => {
    const { store, objects } = await open()
    expect(await store.put(bytes)).toEqual({ digest, size: bytes.length })
    expect(callsOf(objects, 'copy')).toEqual([`copy blobs/${digest.replace(':', '/')}`])
    expect(objects.keys('ingests/')).toEqual([])
    expect((await readAll(store.read(digest))).equals(bytes)).toBe(true)
  })

  test('never has more than its parts in flight', async () => {
    const { store, objects } = await open()
    let [running, most] = [0, 0]
    objects.before = async call => {
      if (call !== 'putPart') return
      running++
      most = Math.max(most, running)
      await new Promise(resolve => setTimeout(resolve, 5))
      running--
    }
    await store.put(bytes, { digest })
    expect(most).toBe(PARTS.concurrency)
  })

  test('is visible only after its digest has matched', async () => {
    const { store, objects } = await open()
    const wrong = await digestOf(Buffer.from('other'))
    await expect(store.put(bytes, { digest: wrong })).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    expect(objects.uploads.size).toBe(0)
    expect(objects.keys('blobs/')).toEqual([])
  })

  test('is refused if its ingest has the digest of another blob as key', async () => {
    const { store, objects } = await open()
    const writer = await store.ingest(await digestOf(Buffer.from('other')))
    await writer.write(bytes)
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    expect(objects.keys('blobs/')).toEqual([])
    expect(objects.uploads.size).toBe(0)
  })

  test('fails with the error of a part, and leaves no upload', async () => {
    const { store, objects } = await open()
    objects.before = (call, key) => {
      if (call === 'putPart' && key.endsWith(' 2')) throw new Error('no answer')
    }
    await expect(store.put(bytes, { digest })).rejects.toThrow('no answer')
    expect(objects.uploads.size).toBe(0)
  })

  test('is read in ranges, and a reader may leave', async () => {
    const { store, objects } = await open()
    await store.put(bytes, { digest })
    objects.calls.length = 0
    const part = await readAll(store.read(digest, { offset: MIB, length: 8 * MIB }))
    expect(part.equals(bytes.subarray(MIB, 9 * MIB))).toBe(true)
    expect(callsOf(objects, 'get')).toHaveLength(2)
    for await (const _ of store.read(digest)) break
    expect((await readAll(store.read(digest, { offset: 1, length: 10 }))).equals(bytes.subarray(1, 11))).toBe(true)
  })

  test('that was replaced by another one while it is read is an error, not wrong bytes', async () => {
    const { store, objects } = await open()
    await store.put(bytes, { digest })
    const read = async () => {
      let taken = 0
      for await (const _ of store.read(digest, { verify: 'never' })) {
        if (taken++ === 0) objects.write(`blobs/${digest.replace(':', '/')}`, Buffer.alloc(bytes.length))
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'ERR_BUCKET_OBJECT_CHANGED' })
  })

  test('that is deleted while it is read is reported as missing', async () => {
    const { store } = await open()
    await store.put(bytes, { digest })
    const read = async () => {
      for await (const _ of store.read(digest)) await store.delete(digest)
    }
    await expect(read()).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  })

  test('over 5 GiB is copied in parts through this machine', async () => {
    const { objects, store } = await open()
    const { copyBlobObject } = await import('../../lib/object-store/ingest/copy-blob-object.ts')
    const { ObjectContext } = await import('../../lib/object-store/object-context.ts')
    const { memoryBucket } = await import('../helpers/memory-bucket.ts')
    const settings = { ...PARTS, verify: 'always', onCorrupt: 'report', readOnly: false } as const
    const context = new ObjectContext(memoryBucket(objects), { ...settings, abandonedMs: 1 })
    objects.write('from', bytes)
    await copyBlobObject(context, 'from', 'to', 6 * 1024 * MIB)
    expect(objects.objects.get('to')?.bytes.equals(bytes)).toBe(true)
    await expect(copyBlobObject(context, 'gone', 'to', 6 * 1024 * MIB)).rejects.toMatchObject({ code: 'ERR_STORE_IO' })
    await expect(copyBlobObject(context, 'gone', 'to', 1)).rejects.toMatchObject({ code: 'ERR_STORE_IO' })
    await store.close()
  })
})

describe('an ingest', () => {
  test('is continued by another store from the parts and the tail of the first', async () => {
    const { store, objects } = await open(new MemoryObjects(), 'wasm')
    {
      await using writer = await store.ingest(digest)
      await writer.write(bytes.subarray(0, 6 * MIB))
    }
    expect(objects.uploads.size).toBe(1)
    objects.calls.length = 0
    const { store: other } = await open(objects)
    expect(await other.statIngest?.(digest)).toEqual({ offset: 6 * MIB, busy: false })
    const writer = await other.ingest(digest)
    expect(writer.offset).toBe(6 * MIB)
    await writer.write(bytes.subarray(6 * MIB))
    await writer.commit({ digest })
    // One part was there already.
    expect(callsOf(objects, 'putPart')).toHaveLength(2)
    expect((await readAll(other.read(digest))).equals(bytes)).toBe(true)
    expect(objects.keys('ingests/')).toEqual([])
  })

  test('is continued in a store that hashes natively, unless the ingest asked for that', async () => {
    const { store, objects } = await open()
    for (const [options, offset] of [
      [{}, 6 * MIB],
      [{ hasher: 'native' } as const, 0],
    ] as const) {
      const key = `upload-${offset}`
      {
        await using writer = await store.ingest(key, options)
        await writer.write(bytes.subarray(0, 6 * MIB))
      }
      const { store: other } = await open(objects)
      await using writer = await other.ingest(key, options)
      expect(writer.offset).toBe(offset)
      await writer.write(bytes.subarray(offset))
      expect((await writer.commit()).digest).toBe(digest)
    }
  })

  test('of a killed process is continued from the last saved state', async () => {
    const { store, objects } = await open(new MemoryObjects(), 'wasm')
    const long = Buffer.concat([bytes, bytes, bytes, bytes])
    const writer = await store.ingest('long')
    for (let at = 0; at < 40 * MIB; at += MIB) await writer.write(long.subarray(at, at + MIB))
    await expect.poll(() => objects.keys('ingests/').some(key => key.includes('record'))).toBe(true)
    await expect.poll(() => recordOf(objects).state?.offset ?? 0).toBeGreaterThan(30 * MIB)
    await killOwner(objects)
    const { store: other } = await open(objects)
    await using next = await other.ingest('long')
    expect(next.offset).toBeGreaterThan(30 * MIB)
    await next.write(long.subarray(next.offset))
    expect(await next.commit()).toMatchObject({ size: long.length, digest: await digestOf(long) })
    // The first writer finds that it has lost its ingest.
    await expect(writer.commit()).rejects.toMatchObject({ code: expect.stringMatching(/ERR_/) })
  })

  test('starts anew if its upload was ended, a part is another one, or its tail is gone', async () => {
    for (const spoil of [
      (objects: MemoryObjects) => objects.uploads.clear(),
      (objects: MemoryObjects) => [...objects.uploads.values()][0]?.parts.delete(1),
      (objects: MemoryObjects) => objects.objects.delete(objects.keys('ingests/').find(key => key.includes('tail'))!),
      (objects: MemoryObjects) =>
        objects.write(objects.keys('ingests/').find(key => key.endsWith('record.json'))!, '{'),
    ]) {
      const { store, objects } = await open()
      {
        await using writer = await store.ingest('key')
        await writer.write(bytes.subarray(0, 7 * MIB))
      }
      spoil(objects)
      objects.age(10 * 60_000)
      await using writer = await store.ingest('key')
      expect(writer.offset).toBe(0)
      await writer.write(bytes)
      expect((await writer.commit()).digest).toBe(digest)
    }
  })

  test('starts anew with another algorithm once it has parts, because parts cannot be read', async () => {
    const { store } = await open()
    {
      await using writer = await store.ingest('key')
      await writer.write(bytes.subarray(0, 7 * MIB))
    }
    await using writer = await store.ingest('key', { algorithm: 'sha512' })
    expect(writer.offset).toBe(0)
  })

  test('of a process elsewhere is taken over after five minutes of silence', async () => {
    const { store, objects } = await open()
    const writer = await store.ingest('key')
    await writer.write(bytes.subarray(0, 10))
    const record = recordOf(objects)
    objects.write(
      objects.keys('ingests/')[0]!,
      JSON.stringify({ ...record, owner: { ...record.owner, host: 'elsewhere' } }),
    )
    const { store: other } = await open(objects)
    await expect(other.ingest('key')).rejects.toMatchObject({ code: 'ERR_INGEST_BUSY' })
    expect(await other.statIngest?.('key')).toEqual({ offset: 0, busy: true })
    objects.age(6 * 60_000)
    await using next = await other.ingest('key')
    expect(next.offset).toBe(0)
  })

  test('tells of a long wait for another process', async () => {
    const objects = new MemoryObjects()
    const { store } = await open(objects)
    const events: string[] = []
    const other = await openInMemory(objects, { onEvent: event => events.push(event.type) })
    onTestFinished(() => other.close())
    const writer = await store.ingest('key')
    const waiting = other.ingest('key', { wait: true })
    await expect.poll(() => events).toEqual(['waiting'])
    await writer.abort()
    await (await waiting).abort()
    expect(events).toEqual(['waiting', 'waited'])
  })
})

test('a collection ends uploads of killed processes when they are old, and no others', async () => {
  const { store, objects } = await open(new MemoryObjects(), 'wasm')
  const [killed, young, running] = await Promise.all(['killed', 'young', 'running'].map(key => store.ingest(key)))
  for (const writer of [killed!, young!, running!]) await writer.write(bytes.subarray(0, 6 * MIB))
  await killed![Symbol.asyncDispose]()
  const dead = await openInMemory(objects, PARTS)
  // A put has no record; its process is gone.
  const silent = (async function* () {
    yield bytes.subarray(0, 6 * MIB)
    await new Promise(() => undefined)
  })()
  void dead.put(silent).catch(() => undefined)
  await expect.poll(() => objects.uploads.size).toBe(4)
  objects.write('ingests/put-1/data', 'an object that was never copied')
  objects.write('touched/sha256/00', 'a marker without a blob')
  objects.age(25 * 3_600_000)
  await young![Symbol.asyncDispose]()
  // The heartbeat of the running one.
  const record = objects
    .keys('ingests/')
    .find(key => key.endsWith('record.json') && objects.text(key)?.includes('"running"'))!
  objects.write(record, objects.text(record)!)
  await runCollection(store, await planCollection(store, { force: true }))
  // Those of the young and of the running ingest.
  expect(objects.uploads.size).toBe(2)
  expect(objects.keys('touched/')).toEqual([])
  expect(objects.keys('ingests/put-1/')).toEqual([])
  expect(await store.statIngest?.('killed')).toBeUndefined()
  expect(await store.statIngest?.('young')).toEqual({ offset: 6 * MIB, busy: false })
  await using writer = await store.ingest('young')
  expect(writer.offset).toBe(6 * MIB)
})

function recordOf(objects: MemoryObjects) {
  return JSON.parse(objects.text(objects.keys('ingests/').find(key => key.endsWith('record.json'))!)!)
}

/** Makes it look as if the process that holds the only ingest had ended. */
async function killOwner(objects: MemoryObjects): Promise<void> {
  const key = objects.keys('ingests/').find(one => one.endsWith('record.json'))!
  objects.write(key, JSON.stringify({ ...recordOf(objects), owner: await createOwnerOf(deadPid()) }))
}
