import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../lib/store/index.ts'
import { blobStoreConformance, type StoreSubject } from '../../lib/testing/index.ts'
import { bucketSubject, placeOf } from '../helpers/bucket-subject.ts'
import { type Hammers, startHammers } from '../helpers/hammer-processes.ts'
import { type StartedPlace, startPlace } from '../helpers/start-place.ts'
import { sweep } from '../helpers/sweep.ts'
import { testConformance } from '../helpers/test-conformance.ts'

const PROCESSES = sweep(4, 2)
let engine: StartedPlace
let hammers: Hammers
let rounds = 0
beforeAll(async () => {
  hammers = startHammers(PROCESSES)
  engine = await startPlace('beside')
}, 600_000)
afterAll(async () => {
  await hammers?.stop()
  await engine?.[Symbol.asyncDispose]()
})

/** The same cases, while other processes put, read, name, collect and delete below the same prefix. */
const inBucket = bucketSubject(() => engine.place)
const addressOf = (store: Store) => JSON.stringify(placeOf(store, engine.place))
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
  testConformance(cases, { timeout: 240_000 })

  test('the other processes worked all the time', () => {
    console.log(`${PROCESSES} processes went round ${rounds} times`)
    expect(rounds).toBeGreaterThanOrEqual(cases.length * PROCESSES)
  })
})
