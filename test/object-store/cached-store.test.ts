import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { from } from '../../lib/build/index.ts'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { cachedStore } from '../../lib/object-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { blobStoreConformance, type StoreSubject } from '../../lib/testing/index.ts'
import { buildFiles, filesOf, outcomesOf } from '../helpers/build-files.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { readAll } from '../helpers/read-all.ts'
import { damageBlob } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { testConformance } from '../helpers/test-conformance.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const BYTES = randomBytes(300_000)
const FILES = { app: randomBytes(200_000) }

/** A cache over objects in memory. */
function subject(makeCache: () => Promise<Store>): StoreSubject {
  return { create: async () => cachedStore(await makeCache(), await openInMemory(new MemoryObjects())) }
}

describe('memory in front of a bucket', () => {
  testConformance(blobStoreConformance(subject(async () => createMemoryStore())))
})

describe('a directory in front of a bucket', () => {
  let place: ReturnType<typeof memoryDirectory> | undefined
  let count = 0
  const makeCache = () => {
    place ??= memoryDirectory('cached-conformance')
    return openStore(join(place.path, `${count++}`), { durability: 'none' })
  }
  testConformance(blobStoreConformance(subject(makeCache)))
  afterAll(() => place?.[Symbol.dispose]())
})

/** A machine with a cache of its own over a bucket that others use too. */
async function machine(objects: MemoryObjects, maxBytes?: number) {
  const directory = temporaryDirectory('cached-store')
  const cache = await openStore(directory.path, { durability: 'none' })
  const shared = await openInMemory(objects)
  const store = cachedStore(cache, shared, { maxBytes })
  return {
    ...{ store, cache, path: directory.path },
    async [Symbol.asyncDispose]() {
      await store.close()
      directory[Symbol.dispose]()
    },
  }
}

/** Number of times that each blob was sent to the bucket, and that each was downloaded. */
const uploadsIn = ({ calls }: MemoryObjects) => countsOf(calls, /^(?:put|completeUpload|copy) (blobs\/\S+)/)
const downloadsIn = ({ calls }: MemoryObjects) => countsOf(calls, /^get (blobs\/\S+)/)

function countsOf(calls: readonly string[], pattern: RegExp): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of calls.flatMap(call => pattern.exec(call)?.[1] ?? [])) counts[key] = (counts[key] ?? 0) + 1
  return counts
}

const keyOf = (digest: Digest) => `blobs/${digest.replace(':', '/')}`

test('a blob is downloaded once for all readers of a machine, and then read from its disk', async () => {
  const objects = new MemoryObjects()
  const { digest } = await (await openInMemory(objects)).put(BYTES)
  await using here = await machine(objects)
  const other = cachedStore(await openStore(here.path), await openInMemory(objects))
  const reads = [here.store, here.store, other, other].map(store => readAll(store.read(digest)))
  for (const read of await Promise.all(reads)) expect(read.equals(BYTES)).toBe(true)
  await readAll(here.store.read(digest, { offset: 10, length: 20 }))
  expect(downloadsIn(objects)).toEqual({ [keyOf(digest)]: 1 })
  await other.close()
})

test('a download that broke off goes on where it stopped', async () => {
  const objects = new MemoryObjects()
  const big = randomBytes(3_000_000)
  const { digest } = await (await openInMemory(objects)).put(big)
  await using cache = createMemoryStore()
  const shared = await openInMemory(objects)
  const writer = await cache.ingest(digest)
  await writer.write(big.subarray(0, 2_000_000))
  await writer[Symbol.asyncDispose]()
  const read = vi.spyOn(shared, 'read')
  expect((await readAll(cachedStore(cache, shared).read(digest))).equals(big)).toBe(true)
  expect(read.mock.calls).toMatchObject([[digest, { offset: 2_000_000 }]])
})

test('a reader that leaves while the blob is fetched does not stop the others', async () => {
  const objects = new MemoryObjects()
  const { digest } = await (await openInMemory(objects)).put(BYTES)
  await using here = await machine(objects)
  const stop = new AbortController()
  const left = thrownBy(() => readAll(here.store.read(digest, { signal: stop.signal })))
  const stays = readAll(here.store.read(digest))
  stop.abort(new Error('left'))
  expect((await left).message).toBe('left')
  expect((await stays).equals(BYTES)).toBe(true)
})

test('a damaged copy fails one read at most, and is fetched anew', async () => {
  const objects = new MemoryObjects()
  await using here = await machine(objects)
  const { digest } = await here.store.put(BYTES)
  damageBlob(here.path, digest, 'flip')
  const first = await readAll(here.store.read(digest)).catch(({ code }) => code)
  expect(['ERR_BLOB_CORRUPT', BYTES]).toContainEqual(first)
  expect((await readAll(here.store.read(digest))).equals(BYTES)).toBe(true)
  expect(downloadsIn(objects)).toEqual({ [keyOf(digest)]: 1 })
})

test('a cache that cannot be written costs speed and nothing else', async () => {
  const objects = new MemoryObjects()
  const { digest } = await (await openInMemory(objects)).put(BYTES)
  using directory = temporaryDirectory('cached-read-only')
  await (await openStore(directory.path)).close()
  await using store = cachedStore(await openStore(directory.path, { readOnly: true }), await openInMemory(objects))
  expect((await readAll(store.read(digest))).equals(BYTES)).toBe(true)
})

test('the blobs used longest ago leave a cache that is full, but none that is being uploaded', async () => {
  const objects = new MemoryObjects()
  const shared = await openInMemory(objects)
  await using here = await machine(objects, 350_000)
  const add = async (to: readonly Store[]) => {
    const bytes = randomBytes(100_000)
    for (const store of to) await store.put(bytes)
    return digestOf(bytes)
  }
  const a = await add([shared, here.cache])
  const b = await add([shared, here.cache])
  await using _ = await here.cache.leases.hold({ label: 'upload', digests: [b] })
  // The kernel stamps written files by a clock that moves each 4 ms or 10 ms.
  await sleep(20)
  const c = await add([shared, here.cache])
  const d = await add([shared])
  await readAll(here.store.read(a))
  await readAll(here.store.read(d))
  const cached = await Promise.all([a, b, c, d].map(async digest => (await here.cache.stat(digest)) !== undefined))
  expect(cached).toEqual([true, true, false, true])
  expect((await readAll(here.store.read(c))).byteLength).toBe(100_000)
})

test('a blob over the limit is not cached, and a store with names loses nothing', async () => {
  const objects = new MemoryObjects()
  const { digest } = await (await openInMemory(objects)).put(BYTES)
  await using here = await machine(objects, 1000)
  expect((await readAll(here.store.read(digest))).equals(BYTES)).toBe(true)
  expect(await here.cache.stat(digest)).toBeUndefined()
  const { descriptor } = await buildFiles(here.cache, from('scratch').copy('.', '/'), FILES, { names: ['kept:1'] })
  await here.store.put(randomBytes(2000))
  expect(await here.cache.stat(descriptor.digest)).toBeDefined()
})

test('two machines that write the same blob at once upload it once', async () => {
  const objects = new MemoryObjects()
  await using one = await machine(objects)
  await using two = await machine(objects)
  const digest = await digestOf(BYTES)
  // The second machine asks for the blob while the first one is sending it.
  objects.before = (call, key) => (call === 'put' && key.startsWith('blobs/') ? sleep(200) : undefined)
  const write = async (store: Store) => {
    const writer = await store.ingest('a layer')
    await writer.write(BYTES)
    return writer.commit()
  }
  const stored = await Promise.all([write(one.store), write(two.store), one.store.put(BYTES)])
  for (const blob of stored) expect(blob).toEqual({ digest, size: BYTES.byteLength })
  expect(uploadsIn(objects)).toEqual({ [keyOf(digest)]: 1 })
})

test('a machine builds what another has built from its cache records, and uploads nothing', async () => {
  const objects = new MemoryObjects()
  await using one = await machine(objects)
  await using two = await machine(objects)
  const build = (store: Store) => buildFiles(store, from('scratch').copy('.', '/'), FILES, { names: ['app:1'] })
  const made = await build(one.store)
  const uploads = uploadsIn(objects)
  const cached = await build(two.store)
  expect(outcomesOf(made)[0]).toMatch(/^made/)
  expect(outcomesOf(cached)[0]).toMatch(/^cached/)
  expect(cached.descriptor).toEqual(made.descriptor)
  expect(uploadsIn(objects)).toEqual(uploads)
  expect(Object.values(uploads).every(count => count === 1)).toBe(true)
  expect(await filesOf(two.store, cached)).toEqual(await filesOf(one.store, made))
})
