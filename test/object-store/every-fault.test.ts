import { randomBytes } from 'node:crypto'
import { expect, type TestContext, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { cachedStore, openObjectStore } from '../../lib/object-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { expectWholeBucket } from '../helpers/expect-whole-bucket.ts'
import { EVERY_FAULT, type FaultyBucket, startFaultyBucket } from '../helpers/faulty-bucket.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { readAll } from '../helpers/read-all.ts'
import type { S3Fault } from '../helpers/s3-proxy.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { swapByTwo } from '../helpers/swap-by-two.ts'
import { sweep } from '../helpers/sweep.ts'

/* Stores behind a proxy that does harm to one request in so many, with and without caches of machines. */

const MIB = 1024 * 1024

interface Case {
  readonly fault: S3Fault
  readonly every: number
}
const cases = (short: number): Case[] =>
  sweep(EVERY_FAULT, EVERY_FAULT.slice(0, short)).map(([fault, every]) => ({ fault, every }))
/** Only with this fault the time limits of the stores are short: such a test has the process for itself. */
const isHurried = ({ fault }: Case) => fault === 'hang'
/** Waits for tests that run side by side. */
const options = { timeout: 600_000 }

/** Puts the first part of a blob, and the rest through another store. */
async function putInTwoTurns([one, other]: readonly [Store, Store], bytes: Buffer): Promise<void> {
  const digest = await digestOf(bytes)
  const first = await one.ingest(digest)
  await first.write(bytes.subarray(0, 6 * MIB))
  await first[Symbol.asyncDispose]()
  const second = await other.ingest(digest)
  expect(second.offset).toBeGreaterThanOrEqual(5 * MIB)
  await second.write(bytes.subarray(second.offset))
  expect(await second.commit({ digest })).toEqual({ digest, size: bytes.byteLength })
}

async function startHarm({ fault, every }: Case, { onTestFinished }: TestContext): Promise<FaultyBucket> {
  const faulty = await startFaultyBucket()
  onTestFinished(() => faulty[Symbol.asyncDispose]())
  faulty.harm(fault, every)
  return faulty
}

async function expectNothingLost(harm: Case, context: TestContext): Promise<void> {
  const faulty = await startHarm(harm, context)
  const open = async () => {
    const store = await openObjectStore(faulty.place())
    context.onTestFinished(() => store.close().catch(() => undefined))
    return store
  }
  const stores = [await open(), await open()] as const
  const garbage = await Promise.all(stores.map((store, i) => store.put(Buffer.from(`garbage ${i}`))))
  const large = randomBytes(7 * MIB)
  await putInTwoTurns(stores, large)
  await swapByTwo(stores)
  const kept = await putStoreImage(stores[0], large)
  await stores[1].references.set('large:1', kept.manifest)
  await Promise.all(stores.map(store => store.close()))

  await expectCollected(faulty, await open())
  await expectWholeBucket(faulty, { digest: kept.layer.digest, bytes: large }, garbage)
}

/** Collects all garbage. What lost answers have begun, such as uploads, the collection ends by its age. */
async function expectCollected({ server, proxy }: FaultyBucket, store: Store): Promise<void> {
  server.settings.aheadMs = 25 * 3_600_000
  const plan = await planCollection(store, { graceMs: 0, force: true })
  expect(plan.missing).toEqual([])
  expect((await runCollection(store, plan)).errors).toEqual([])
  expect(proxy.done.length).toBeGreaterThan(5)
}

/** Two machines write the same blob at once, one without knowing its digest. */
async function writeByTwo([one, other]: readonly [Store, Store], bytes: Buffer): Promise<void> {
  const digest = await digestOf(bytes)
  const writer = await other.ingest('a layer')
  await writer.write(bytes)
  const stored = await Promise.all([one.put(bytes), writer.commit()])
  for (const blob of stored) expect(blob).toEqual({ digest, size: bytes.byteLength })
}

async function expectNothingLostByMachines(harm: Case, context: TestContext): Promise<void> {
  const faulty = await startHarm(harm, context)
  const machine = async () => {
    const directory = memoryDirectory('cached-faults')
    const cache = await openStore(directory.path, { durability: 'none' })
    const store = cachedStore(cache, await openObjectStore(faulty.place()))
    context.onTestFinished(async () => {
      await store.close().catch(() => undefined)
      directory[Symbol.dispose]()
    })
    return { cache, store }
  }
  const [one, two, reader] = [await machine(), await machine(), await machine()]
  const stores = [one.store, two.store] as const
  const large = randomBytes(7 * MIB)
  await writeByTwo(stores, large)
  await swapByTwo(stores)
  const kept = await putStoreImage(one.store, large)
  await two.store.references.set('large:1', kept.manifest)
  expect((await readAll(reader.store.read(kept.layer.digest))).equals(large)).toBe(true)

  for (const { cache } of [one, two, reader]) {
    const { problems, faults } = await checkStore(cache)
    expect([...problems.filter(problem => problem.class !== 'orphan'), ...faults]).toEqual([])
  }
  // Their leases protect what they have written.
  for (const store of stores) await store.close()
  await expectCollected(faulty, reader.store)
  await expectWholeBucket(faulty, { digest: kept.layer.digest, bytes: large })
}

const kinds = [
  { title: 'a store loses nothing', expectIt: expectNothingLost, short: 4 },
  { title: 'machines with caches lose nothing', expectIt: expectNothingLostByMachines, short: 3 },
]
// PERF: a collection waits five seconds for each removal whose answer was lost, so the tests run side by side.
for (const { title, expectIt, short } of kinds) {
  const others = cases(short).filter(one => !isHurried(one))
  test.concurrent.for(others)(`${title} if requests suffer $fault, one in $every`, options, expectIt)
}
for (const { title, expectIt, short } of kinds) {
  test.for(cases(short).filter(isHurried))(`${title} if requests suffer $fault, one in $every`, options, expectIt)
}
