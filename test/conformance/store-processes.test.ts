import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../lib/store/index.ts'
import { blobStoreConformance, type StoreSubject } from '../../lib/testing/index.ts'
import { type Hammers, startHammers } from '../helpers/hammer-processes.ts'
import { directoryOf, diskSubject } from '../helpers/store-subjects.ts'
import { sweep } from '../helpers/sweep.ts'
import { testConformance } from '../helpers/test-conformance.ts'

const PROCESSES = sweep(3, 2)
let hammers: Hammers
let rounds = 0
beforeAll(() => {
  hammers = startHammers(PROCESSES)
})
afterAll(() => hammers.stop())

/** The same cases, while other processes put, read, name, collect and delete in the same directory. */
const disk = diskSubject({ durability: 'none' })
/** Blobs that a case damages on purpose; the other processes see the damage, too. */
const damaged = new Set<string>()
const subject: StoreSubject = {
  ...disk,
  foreign: { blob: digest => hammers.isTheirs(digest), name: name => hammers.isTheirs(name) },
  async create() {
    const store = await disk.create()
    await hammers.join(directoryOf(store))
    return store
  },
  async destroy(store: Store) {
    const seen = await hammers.leave(directoryOf(store))
    await disk.destroy(store)
    rounds += seen.rounds
    expect(seen.faults.filter(fault => ![...damaged].some(digest => fault === `ERR_BLOB_CORRUPT ${digest}`))).toEqual(
      [],
    )
  },
  async damage(store, digest, how) {
    damaged.add(digest)
    await disk.damage(store, digest, how)
  },
}

describe(`a disk store that ${PROCESSES} other processes use`, () => {
  testConformance(blobStoreConformance(subject), { timeout: 240_000 })

  test('the other processes worked all the time', () => {
    console.log(`${PROCESSES} processes went round ${rounds} times`)
    expect(rounds).toBeGreaterThan(50)
  })
})
