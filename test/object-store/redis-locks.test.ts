import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openObjectStore, redisLocks } from '../../lib/object-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { type MemoryS3, startMemoryS3 } from '../helpers/memory-s3.ts'
import { needsRedis, type StartedRedis, startRedis } from '../helpers/start-redis.ts'
import { putStoreImage } from '../helpers/store-image.ts'

/* Locks in a real Redis, for a bucket whose engine accepts conditions and ignores them. */

const isRedis = needsRedis()
let redis: StartedRedis
let server: MemoryS3
beforeAll(async () => {
  if (!isRedis) return
  redis = await startRedis()
  server = await startMemoryS3({ conditions: 'ignored' })
})
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

/** A store with a connection to Redis of its own, as another machine has one. */
async function open(prefix: string): Promise<Store> {
  const locks = redisLocks(await redis.connect())
  const { endpoint, bucket, settings } = server
  const place = { endpoint, bucket, prefix, region: settings.region, credentials: settings.key }
  const store = await openObjectStore({ ...place, locks, hasher: 'native' })
  onTestFinished(() => store.close())
  return store
}

describe.skipIf(!isRedis)('locks in Redis', () => {
  test('give each value of a name one winner among eight machines', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => open('swaps')))
    const first = stores[0] as Store
    const images = await Promise.all(stores.map((_, i) => putStoreImage(first, `image ${i}`)))
    let current: Digest | null = null
    for (let turn = 0; turn < 5; turn++) {
      const expected: Digest | null = current
      const swaps = stores.map((store, i) => {
        const { manifest } = images[(i + turn) % stores.length]!
        return store.references.set('app:1', manifest, { expected })
      })
      const settled = await Promise.allSettled(swaps)
      // The winner may write the very image that is expected: then another one may win after it.
      const won = settled.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
      const news = won.filter(i => images[(i + turn) % stores.length]!.manifest.digest !== expected)
      expect(news).toHaveLength(1)
      for (const one of settled) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_REFERENCE_CONFLICT' })
      }
      current = (await first.references.get('app:1'))!.digest
      expect(current).toBe(images[(news[0]! + turn) % stores.length]!.manifest.digest)
    }
  })

  test('exclude one another, and are given on when they are released', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, async () => redisLocks(await redis.connect())))
    let [inside, most, turns] = [0, 0, 0]
    const work = async (locks: ReturnType<typeof redisLocks>) => {
      for (let i = 0; i < 5; i++) {
        const lock = await locks.acquire('one')
        most = Math.max(most, ++inside)
        await new Promise(setImmediate)
        await lock.assertHeld()
        inside--
        turns++
        await lock.release()
      }
    }
    await Promise.all(all.map(work))
    expect([most, turns]).toEqual([1, 30])
  })

  test('expire with their process; a late one neither writes nor takes the lock of its successor away', async () => {
    const connection = await redis.connect()
    const late = await redisLocks(connection, { expiresInMs: 1000 }).acquire('late')
    const began = performance.now()
    const next = await redisLocks(await redis.connect()).acquire('late')
    expect(performance.now() - began).toBeGreaterThan(900)
    await expect(async () => late.assertHeld()).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
    await late.release()
    const soon = { signal: AbortSignal.timeout(50) }
    await expect(redisLocks(connection).acquire('late', soon)).rejects.toBe(await reasonOf(soon.signal))
    await next.release()
    await (await redisLocks(connection).acquire('late')).release()
  })

  test('that were given up are free at once when a silent Redis answers again', async () => {
    const locks = redisLocks(await redis.connect())
    redis.pause()
    try {
      await expect(locks.acquire('hung', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
        name: 'TimeoutError',
      })
    } finally {
      redis.resume()
    }
    await (await redisLocks(await redis.connect()).acquire('hung')).release()
  })

  test('end each wait for a silent Redis with an error, also without a signal', async () => {
    const locks = redisLocks(await redis.connect(), { expiresInMs: 1000 })
    const held = await locks.acquire('held')
    redis.pause()
    try {
      const waits = [locks.acquire('silent'), held.release()]
      for (const wait of waits) {
        await expect(wait).rejects.toMatchObject({
          code: 'ERR_STORE_LOCKED',
          message: expect.stringContaining('1000 ms'),
        })
      }
    } finally {
      redis.resume()
    }
  })
})

async function reasonOf(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  return signal.reason
}
