import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../lib/store/index.ts'
import { blobStoreConformance, type StoreSubject } from '../../lib/testing/index.ts'
import { bucketSubject, placeOf } from '../helpers/bucket-subject.ts'
import { createBucket, type S3Engine } from '../helpers/create-bucket.ts'
import { type Hammers, startHammers } from '../helpers/hammer-processes.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { needsCephRgw, startCephRgw } from '../helpers/start-ceph-rgw.ts'
import { FULL, sweep } from '../helpers/sweep.ts'
import { testConformance } from '../helpers/test-conformance.ts'

const PROCESSES = sweep(4, 2)
const onCeph = FULL && needsCephRgw()
let place: S3Engine & { bucket: string }
let stop: () => Promise<void> = async () => {}
let hammers: Hammers
let rounds = 0
beforeAll(async () => {
  hammers = startHammers(PROCESSES)
  if (onCeph) {
    place = { ...(await startCephRgw()), bucket: `beside-${randomUUID().slice(0, 8)}` }
    return createBucket(place, place.bucket)
  }
  const server = await startMemoryS3()
  stop = async () => server[Symbol.asyncDispose]()
  const { endpoint, bucket, settings } = server
  place = { endpoint, bucket, region: settings.region, credentials: settings.key }
}, 120_000)
afterAll(async () => {
  await hammers.stop()
  await stop()
})

/** The same cases, while other processes put, read, name, collect and delete below the same prefix. */
const inBucket = bucketSubject(() => place)
const addressOf = (store: Store) => JSON.stringify(placeOf(store, place))
/** Blobs that a case damages on purpose; the other processes see the damage, too. */
const damaged = new Set<string>()
const subject: StoreSubject = {
  ...inBucket,
  foreign: { blob: digest => hammers.isTheirs(digest), name: name => hammers.isTheirs(name) },
  async create() {
    const store = await inBucket.create()
    await hammers.join(addressOf(store))
    return store
  },
  async destroy(store) {
    const seen = await hammers.leave(addressOf(store))
    rounds += seen.rounds
    const isDone = (fault: string) => [...damaged].some(digest => fault === `ERR_BLOB_CORRUPT ${digest}`)
    expect(seen.faults.filter(fault => !isDone(fault))).toEqual([])
  },
  async damage(store, digest, how) {
    damaged.add(digest)
    await inBucket.damage(store, digest, how)
  },
}

/** Some cases: each is hundreds of requests, on Ceph for seconds, so that all of them take minutes. */
const cases = blobStoreConformance(subject).filter((_, i) => i % sweep(18, 9) === 0)

describe(`a store in a bucket that ${PROCESSES} other processes use`, () => {
  testConformance(cases, { timeout: 120_000 })

  test('the other processes worked all the time', () => {
    console.log(`${PROCESSES} processes went round ${rounds} times`)
    expect(rounds).toBeGreaterThanOrEqual(cases.length * PROCESSES)
  })
})
