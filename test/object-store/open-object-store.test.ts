import { describe, expect, onTestFinished, test } from 'vitest'
import { type BucketLocks, openObjectStore, openStoreInBucket, redisLocks } from '../../lib/object-store/index.ts'
import { FakeRedis } from '../helpers/fake-redis.ts'
import { MemoryObjects, memoryBucket } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { putStoreImage } from '../helpers/store-image.ts'

describe('opening a store in a bucket', () => {
  test('creates the marker of the format once, from any number of processes', async () => {
    const objects = new MemoryObjects()
    const stores = await Promise.all(Array.from({ length: 8 }, () => openInMemory(objects)))
    expect(objects.keys()).toEqual(['layerstore.json'])
    await Promise.all(stores.map(store => store.close()))
  })

  test('asks the engine for its conditions only if the marker does not tell them for this address', async () => {
    const objects = new MemoryObjects()
    let asked = 0
    const bucket = (address: string) => ({
      ...memoryBucket(objects),
      address,
      conditions: async () => {
        asked++
        return { ifNoneMatch: true, ifMatch: true }
      },
    })
    await (await openStoreInBucket(bucket('s3://a at one'))).close()
    await (await openStoreInBucket(bucket('s3://a at one'))).close()
    expect(asked).toBe(1)
    await (await openStoreInBucket(bucket('s3://a at two'))).close()
    expect(asked).toBe(2)
  })

  test('refuses an engine without conditional writes, unless there are locks or nothing is written', async () => {
    const objects = new MemoryObjects()
    const weak = { ...memoryBucket(objects), conditions: async () => ({ ifNoneMatch: true, ifMatch: false }) }
    await expect(openStoreInBucket(weak)).rejects.toMatchObject({
      code: 'ERR_STORE_UNSAFE',
      message: expect.stringContaining('does not enforce If-Match'),
    })
    const none = { ...weak, conditions: async () => ({ ifNoneMatch: false, ifMatch: false }) }
    await expect(openStoreInBucket(none)).rejects.toThrow('If-None-Match and If-Match')
    await (await openStoreInBucket(weak, { locks: redisLocks(new FakeRedis()) })).close()
    await (await openStoreInBucket(weak, { readOnly: true })).close()
  })

  test('refuses a prefix with other objects, a damaged or newer marker, and an absent store', async () => {
    const objects = new MemoryObjects()
    const open = (options = {}) => openInMemory(objects, options)
    await expect(open({ create: false })).rejects.toMatchObject({ code: 'ERR_STORE_NOT_FOUND' })
    await expect(open({ readOnly: true })).rejects.toMatchObject({ code: 'ERR_STORE_NOT_FOUND' })
    objects.write('photos/cat.jpg', 'cat')
    await expect(open()).rejects.toMatchObject({
      code: 'ERR_STORE_FORMAT',
      message: expect.stringContaining('cat.jpg'),
    })
    objects.write('layerstore.json', '{"kind":"layerstore","version":2}')
    await expect(open()).rejects.toMatchObject({ code: 'ERR_STORE_VERSION' })
    objects.write('layerstore.json', 'no JSON')
    await expect(open()).rejects.toMatchObject({ code: 'ERR_STORE_FORMAT' })
    await (await open({ damaged: 'open' })).close()
  })

  test('refuses unusable options', async () => {
    const refused = [
      { partSize: 1024 },
      { partSize: 2 ** 40 },
      { concurrency: 1 },
      { concurrency: 1.5 },
      { abandonedMs: 1 },
      { hasher: 'sha1' },
      { verify: 'maybe' },
      { onCorrupt: 'weep' },
      { damaged: 'perhaps' },
      { readOnly: 'yes' },
      { create: 1 },
      { locks: {} },
    ]
    for (const options of refused) {
      await expect(openInMemory(new MemoryObjects(), options as never)).rejects.toMatchObject({
        code: 'ERR_INVALID_ARGUMENT',
      })
    }
    await expect(openStoreInBucket({} as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await expect(openObjectStore(undefined as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('keeps derived data apart from damage, and ignores writes if it is read-only', async () => {
    const objects = new MemoryObjects()
    const store = await openInMemory(objects)
    onTestFinished(() => store.close())
    await store.derived.set('facts', 'a', Buffer.from('fact'))
    await store.derived.set('cache', 'b', Buffer.from('{"blobs":[]}'))
    expect(await store.derived.list('facts')).toEqual(['a'])
    objects.write('derived/facts/a', 'torn')
    expect(await store.derived.get('facts', 'a')).toBeUndefined()
    objects.write('derived/cache/b', '{"blo')
    expect(await store.derived.get('cache', 'b')).toBeUndefined()
    const reader = await openInMemory(objects, { readOnly: true })
    onTestFinished(() => reader.close())
    await reader.derived.set('facts', 'c', Buffer.from('x'))
    expect(await store.derived.list('facts')).toEqual(['a'])
    await expect(reader.derived.delete('facts', 'a')).rejects.toMatchObject({ code: 'ERR_STORE_READ_ONLY' })
    await using lease = await reader.leases.hold()
    expect(lease.id).toBe('read-only')
    await lease.renew()
    expect(objects.keys('leases/')).toEqual([])
  })
})

describe('a store with locks', () => {
  /** An engine that knows no conditions. */
  const weakBucket = (objects: MemoryObjects) => {
    const bucket = memoryBucket(objects)
    return {
      ...bucket,
      conditions: async () => ({ ifNoneMatch: false, ifMatch: false }),
      put: (...[key, body]: Parameters<typeof bucket.put>) => bucket.put(key, body),
    }
  }

  async function open(objects: MemoryObjects, locks: BucketLocks) {
    const store = await openStoreInBucket(weakBucket(objects), { locks, hasher: 'native' })
    onTestFinished(() => store.close())
    return store
  }

  test('swaps names one after the other', async () => {
    const [objects, redis] = [new MemoryObjects(), new FakeRedis()]
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(objects, redisLocks(redis))))
    const images = await Promise.all(stores.map((store, i) => putStoreImage(store, `image ${i}`)))
    const settled = await Promise.allSettled(
      stores.map((store, i) => store.references.set('app:1', images[i]!.manifest, { expected: null })),
    )
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await stores[0]!.references.delete('app:1')).toBe(true)
    expect(redis.keys.size).toBe(0)
  })

  test('does not write once its lock may have expired, and does not release that of another process', async () => {
    const [objects, redis] = [new MemoryObjects(), new FakeRedis()]
    const locks = redisLocks({ call: (...words: string[]) => redis.sendCommand(words) }, { expiresInMs: 1000 })
    const held = await locks.acquire('a')
    await expect(locks.acquire('a', { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    await held.assertHeld()
    await new Promise(resolve => setTimeout(resolve, 550))
    expect(() => held.assertHeld()).toThrow('held too long')
    redis.keys.set('layerstore:a', 'another')
    await held.release()
    expect(redis.keys.get('layerstore:a')).toBe('another')
    expect(objects.keys()).toEqual([])
  })

  test('refuses what is no client of Redis, or an expiry that is too short', () => {
    expect(() => redisLocks({} as never)).toThrow('a connected client of Redis')
    expect(() => redisLocks(undefined as never)).toThrow('a connected client of Redis')
    expect(() => redisLocks(new FakeRedis(), { expiresInMs: 10 })).toThrow('expiresInMs')
  })
})
