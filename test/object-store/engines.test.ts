import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bucket, type ObjectStoreSettings, openBucket, openStoreInBucket } from '../../lib/object-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { blobStoreConformance, type StoreSubject } from '../../lib/testing/index.ts'
import { createBucket, type S3Engine } from '../helpers/create-bucket.ts'
import { needsCephRgw, startCephRgw } from '../helpers/start-ceph-rgw.ts'
import { needsSwift, startSwift } from '../helpers/start-swift.ts'
import { FULL } from '../helpers/sweep.ts'
import { testConformance } from '../helpers/test-conformance.ts'

/* The store in a bucket of each engine that is installed here. */

const buckets: Bucket[] = []
afterAll(() => {
  for (const bucket of buckets) bucket.close()
})

/** Stores below prefixes of their own in one bucket. */
function subjectIn(engine: () => S3Engine, named: string): StoreSubject {
  const places = new WeakMap<Store, Bucket>()
  const openIn = async (bucket: Bucket, options: ObjectStoreSettings = {}) => {
    const store = await openStoreInBucket(bucket, options)
    places.set(store, bucket)
    return store
  }
  return {
    async create() {
      const bucket = await openBucket({ ...engine(), bucket: named, prefix: randomUUID() })
      buckets.push(bucket)
      return openIn(bucket)
    },
    reopen: store => openIn(places.get(store)!),
    reopenReadOnly: store => openIn(places.get(store)!, { readOnly: true }),
    async damage(store, digest, how) {
      const key = `blobs/${digest.replace(':', '/')}`
      const bucket = places.get(store)!
      const chunks: Uint8Array[] = []
      for await (const chunk of (await bucket.get(key))!.body) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (how === 'flip') bytes[bytes.length >> 1]! ^= 0x10
      const changed = {
        flip: bytes,
        shorten: bytes.subarray(0, -1),
        extend: Buffer.concat([bytes, bytes.subarray(0, 1)]),
        empty: Buffer.alloc(0),
      }
      await bucket.put(key, changed[how])
    },
  }
}

const hasCeph = needsCephRgw()
describe.skipIf(!hasCeph)('a store in a bucket of Ceph', () => {
  let engine: S3Engine
  const named = `store-${randomUUID()}`
  beforeAll(async () => {
    if (!hasCeph) return
    engine = await startCephRgw()
    await createBucket(engine, named)
  }, 120_000)
  // Hundreds of names are thousands of requests.
  const cases = blobStoreConformance(subjectIn(() => engine, named))
  testConformance(cases.filter(({ name }) => FULL || !name.startsWith('five hundred')))
})

const isSwift = needsSwift()
describe.skipIf(!isSwift)('a store in a bucket of Swift, which has no conditional writes', () => {
  let engine: S3Engine
  const named = `store-${randomUUID()}`
  beforeAll(async () => {
    if (!isSwift) return
    engine = await startSwift()
    await createBucket(engine, named)
  }, 120_000)

  test('is refused without locks in another engine, and says so', async () => {
    const bucket = await openBucket({ ...engine, bucket: named, prefix: 'refused' })
    await expect(openStoreInBucket(bucket)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' })
    bucket.close()
  })
})
