import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { cachedStore, openObjectStore } from '../../lib/object-store/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { expectWholeBucket } from '../helpers/expect-whole-bucket.ts'
import { EVERY_FAULT, type FaultyBucket, startFaultyBucket } from '../helpers/faulty-bucket.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { readAll } from '../helpers/read-all.ts'
import type { S3Fault } from '../helpers/s3-proxy.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { swapByTwo } from '../helpers/swap-by-two.ts'
import { sweep } from '../helpers/sweep.ts'

/* Machines with caches in front of a bucket behind a proxy that does harm. */

let faulty: FaultyBucket
beforeEach(async () => {
  faulty = await startFaultyBucket()
})
afterEach(() => faulty[Symbol.asyncDispose]())

/** A machine: its store, and what its cache has. */
async function machine(): Promise<{ store: Store; cache: Store }> {
  const directory = memoryDirectory('cached-faults')
  const cache = await openStore(directory.path, { durability: 'none' })
  const store = cachedStore(cache, await openObjectStore(faulty.place()))
  onTestFinished(async () => {
    await store.close().catch(() => undefined)
    directory[Symbol.dispose]()
  })
  return { store, cache }
}

/** Every byte of a cache is verified; nothing in it has a name. */
async function expectSound(cache: Store): Promise<void> {
  const { problems, faults } = await checkStore(cache)
  expect([...problems.filter(problem => problem.class !== 'orphan'), ...faults]).toEqual([])
}

/** Two machines write the same blob at once, one without knowing its digest. */
async function writeByTwo([one, other]: readonly [Store, Store], bytes: Buffer): Promise<void> {
  const digest = await digestOf(bytes)
  const writer = await other.ingest('a layer')
  await writer.write(bytes)
  const stored = await Promise.all([one.put(bytes), writer.commit()])
  for (const blob of stored) expect(blob).toEqual({ digest, size: bytes.byteLength })
}

test.each(sweep(EVERY_FAULT, EVERY_FAULT.slice(0, 3)))(
  'machines with caches lose nothing if requests suffer %s, one in %i',
  async (fault, every) => {
    const { server, proxy } = faulty
    faulty.harm(fault, every)
    const [one, two, reader] = [await machine(), await machine(), await machine()]
    const stores = [one.store, two.store] as const
    const large = randomBytes(7 * 1024 * 1024)
    await writeByTwo(stores, large)
    await swapByTwo(stores)
    const kept = await putStoreImage(one.store, large)
    await two.store.references.set('large:1', kept.manifest)
    expect((await readAll(reader.store.read(kept.layer.digest))).equals(large)).toBe(true)

    for (const { cache } of [one, two, reader]) await expectSound(cache)
    // Their leases protect what they have written.
    for (const store of stores) await store.close()

    // What lost answers have begun, such as uploads, a collection ends by its age.
    server.settings.aheadMs = 25 * 3_600_000
    const plan = await planCollection(reader.store, { graceMs: 0, force: true })
    expect(plan.missing).toEqual([])
    expect((await runCollection(reader.store, plan)).errors).toEqual([])
    expect(proxy.done.length).toBeGreaterThan(5)

    await expectWholeBucket(faulty, { digest: kept.layer.digest, bytes: large })
  },
  180_000,
)

test.each<S3Fault>(['cut', 503, 'hang'])(
  'each call of a machine with a cache ends while %s lasts: its own blobs are read, the rest is a typed error',
  async fault => {
    if (fault === 'hang') faulty.hurry()
    const [{ store, cache }, other] = [await machine(), await machine()]
    const { manifest, layer } = await putStoreImage(store)
    const elsewhere = await other.store.put(randomBytes(100_000))
    await store.references.set('app:1', manifest)
    const writer = await store.ingest('unfinished')
    await writer.write(randomBytes(1000))
    faulty.proxy.fault = () => fault
    const calls = [
      store.put(Buffer.from('new')),
      store.stat(manifest.digest),
      readAll(store.read(elsewhere.digest)),
      writer.commit(),
      store.references.set('app:2', manifest),
      store.references.get('app:1'),
      store.delete(manifest.digest),
      planCollection(store, { graceMs: 0, force: true }),
    ]
    for (const settled of await Promise.allSettled(calls)) {
      const code = expect.stringMatching(/^ERR_BUCKET_(BUSY|NETWORK)$/)
      expect(settled).toMatchObject({ status: 'rejected', reason: { code, retryable: true } })
    }
    expect((await readAll(store.read(layer.digest))).toString()).toBe('layer')
    faulty.proxy.fault = () => undefined
    expect(await store.references.get('app:2')).toBeUndefined()
    await store.references.set('app:2', manifest)
    await assertComplete(store, manifest)
    // The bytes are in the cache; now they get to the bucket.
    const { digest } = await store.put(Buffer.from('new'))
    expect(faulty.server.objects.has(`blobs/${digest.replace(':', '/')}`)).toBe(true)
    expect((await readAll(store.read(elsewhere.digest))).byteLength).toBe(100_000)
    await expectSound(cache)
  },
  180_000,
)
