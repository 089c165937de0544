import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection } from '../../lib/maintenance/index.ts'
import { cachedStore, openObjectStore } from '../../lib/object-store/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { type FaultyBucket, startFaultyBucket } from '../helpers/faulty-bucket.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { readAll } from '../helpers/read-all.ts'
import type { S3Fault } from '../helpers/s3-proxy.ts'
import { putStoreImage } from '../helpers/store-image.ts'

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
