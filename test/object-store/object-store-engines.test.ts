import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openObjectStore, redisLocks } from '../../lib/object-store/index.ts'
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { bucketSubject } from '../helpers/bucket-subject.ts'
import { createBucket, type S3Engine } from '../helpers/create-bucket.ts'
import { FakeRedis } from '../helpers/fake-redis.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { needsCephRgw, startCephRgw } from '../helpers/start-ceph-rgw.ts'
import { needsSwift, startSwift } from '../helpers/start-swift.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { testConformance } from '../helpers/test-conformance.ts'

/** The conformance suite over the S3 protocol. */
function suite(start: () => Promise<{ engine: S3Engine; bucket: string; stop(): Promise<void> }>): void {
  let running: Awaited<ReturnType<typeof start>>
  beforeAll(async () => {
    running = await start()
  }, 120_000)
  afterAll(() => running?.stop())
  testConformance(blobStoreConformance(bucketSubject(() => ({ ...running.engine, bucket: running.bucket }))), {
    timeout: 60_000,
  })
}

describe('a store over a server that speaks S3', () => {
  suite(async () => {
    const server = await startMemoryS3()
    const { endpoint, bucket, settings } = server
    const engine = { endpoint, region: settings.region, credentials: settings.key }
    return { engine, bucket, stop: async () => server[Symbol.asyncDispose]() }
  })
})

// Prints the reason if the programs are missing.
if (needsCephRgw()) {
  describe('a store over Ceph RGW', () =>
    suite(async () => {
      const engine = await startCephRgw()
      const bucket = `store-${randomUUID().slice(0, 8)}`
      await createBucket(engine, bucket)
      return { engine, bucket, stop: async () => {} }
    }))
}

test('an engine that accepts conditions and ignores them is refused', async () => {
  await using server = await startMemoryS3({ conditions: 'ignored' })
  const { endpoint, bucket, settings } = server
  const place = { endpoint, bucket, region: settings.region, credentials: settings.key }
  await expect(openObjectStore(place)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' })
})

const swift = test.skipIf(!needsSwift())
swift('Swift, which knows no conditions, is refused, and usable with locks', { timeout: 120_000 }, async () => {
  const engine = await startSwift()
  const bucket = `store-${randomUUID().slice(0, 8)}`
  await createBucket(engine, bucket)
  const place = { ...engine, bucket, hasher: 'native' } as const
  await expect(openObjectStore(place)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' })
  const locks = redisLocks(new FakeRedis())
  await using one = await openObjectStore({ ...place, locks })
  await using other = await openObjectStore({ ...place, locks })
  const { manifest } = await putStoreImage(one)
  const swaps = [one, other].map(store => store.references.set('app:1', manifest, { expected: null }))
  const settled = await Promise.allSettled(swaps)
  expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await other.references.get('app:1')).toEqual(manifest)
})
