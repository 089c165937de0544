import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ObjectStoreSettings, openObjectStore, redisLocks } from '../../lib/object-store/index.ts'
import { blobStoreConformance } from '../../lib/testing/index.ts'
import { bucketSubject } from '../helpers/bucket-subject.ts'
import { FakeRedis } from '../helpers/fake-redis.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { needsCephRgw } from '../helpers/start-ceph-rgw.ts'
import { type StartedPlace, startCephPlace, startMemoryPlace, startSwiftPlace } from '../helpers/start-place.ts'
import { needsSwift } from '../helpers/start-swift.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'
import { testConformance } from '../helpers/test-conformance.ts'

interface SuiteOptions {
  readonly settings?: ObjectStoreSettings
  /** Cases that are left out, each with the reason. */
  readonly without?: Readonly<Record<string, string>>
  /** Runs one case of so many. */
  readonly every?: number
}

/** The conformance suite over the S3 protocol. */
function suite(start: () => Promise<StartedPlace>, { settings, without, every = 1 }: SuiteOptions = {}): void {
  let running: StartedPlace | undefined
  beforeAll(async () => {
    running = await start()
  }, 600_000)
  afterAll(() => running?.[Symbol.asyncDispose]())
  const subject = bucketSubject(() => running!.place, settings)
  const cases = blobStoreConformance({ ...subject, without: { ...subject.without, ...without } })
  testConformance(
    cases.filter((_, i) => i % every === 0),
    { timeout: 240_000 },
  )
}

describe('a store over a server that speaks S3', () => suite(startMemoryPlace))

// Prints the reason if the programs are missing.
if (needsCephRgw()) describe('a store over Ceph RGW', () => suite(() => startCephPlace('store')))

const hasSwift = needsSwift()
if (hasSwift) {
  describe('a store over Swift, which has no conditional writes, with locks in another engine', () =>
    suite(() => startSwiftPlace('store'), {
      settings: { locks: redisLocks(new FakeRedis()) },
      without: { 'five hundred concurrent sets all succeed': 'thousands of requests take Swift minutes' },
      every: sweep(1, 12),
    }))
}

test('an engine that accepts conditions and ignores them is refused', async () => {
  await using server = await startMemoryS3({ conditions: 'ignored' })
  const { endpoint, bucket, settings } = server
  const place = { endpoint, bucket, region: settings.region, credentials: settings.key }
  await expect(openObjectStore(place)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' })
})

const swift = test.skipIf(!hasSwift)
swift('Swift, which knows no conditions, is refused, and usable with locks', { timeout: 600_000 }, async () => {
  await using engine = await startSwiftPlace('store')
  const place = { ...engine.place, hasher: 'native' } as const
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
