import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { planCollection } from '../../lib/maintenance/index.ts'
import { openObjectStore } from '../../lib/object-store/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { type FaultyBucket, startFaultyBucket } from '../helpers/faulty-bucket.ts'
import { readAll } from '../helpers/read-all.ts'
import type { S3Fault } from '../helpers/s3-proxy.ts'
import { putStoreImage } from '../helpers/store-image.ts'

/* A store behind a proxy that does harm: nothing is lost, nothing is named incomplete, every wait ends. */

let faulty: FaultyBucket
beforeEach(async () => {
  faulty = await startFaultyBucket()
})
afterEach(() => faulty[Symbol.asyncDispose]())

/** A store as one machine opens it. */
async function open(endpoint?: string): Promise<Store> {
  const store = await openObjectStore(faulty.place(endpoint))
  onTestFinished(() => store.close().catch(() => undefined))
  return store
}

test.each<S3Fault>(['cut', 503, 'hang'])(
  'each call of a store ends with a typed error while %s lasts, and works afterwards',
  async fault => {
    const { proxy } = faulty
    if (fault === 'hang') faulty.hurry()
    const store = await open()
    const { manifest } = await putStoreImage(store)
    await store.references.set('app:1', manifest)
    const writer = await store.ingest('unfinished')
    await writer.write(randomBytes(1000))
    proxy.fault = () => fault
    const began = performance.now()
    const calls = [
      store.put(Buffer.from('new')),
      store.stat(manifest.digest),
      readAll(store.read(manifest.digest)),
      store.ingest('another'),
      writer.commit(),
      store.references.set('app:2', manifest),
      store.references.set('app:1', manifest, { expected: manifest.digest }),
      store.references.get('app:1'),
      store.leases.hold({ label: 'work', digests: [manifest.digest] }),
      store.delete(manifest.digest),
      planCollection(store, { graceMs: 0, force: true }),
    ]
    for (const settled of await Promise.allSettled(calls)) {
      const code = expect.stringMatching(/^ERR_BUCKET_(BUSY|NETWORK)$/)
      expect(settled).toMatchObject({ status: 'rejected', reason: { code, retryable: true } })
    }
    // Five tries of 800 ms, on a machine that takes ten times as long.
    expect(performance.now() - began).toBeLessThan(60_000)
    proxy.fault = () => undefined
    expect(await store.references.get('app:2')).toBeUndefined()
    await store.references.set('app:2', manifest)
    await assertComplete(store, (await store.references.get('app:2'))!)
    expect((await store.put(Buffer.from('new'))).size).toBe(3)
    await (await store.ingest('another')).abort()
    proxy.fault = () => fault
    await store.close().catch(() => undefined)
    expect(performance.now() - began).toBeLessThan(100_000)
  },
  150_000,
)

/** Loses the answer to the next change of a name; before that change is asked for again, `meanwhile` happens. */
function loseAnswer(meanwhile: () => Promise<unknown>): void {
  let changes = 0
  faulty.proxy.fault = async ({ method, url }) => {
    if (method !== 'PUT' || !url!.includes('/references/')) return undefined
    if (++changes === 1) return 'lose'
    if (changes === 2) await meanwhile()
    return undefined
  }
}

test('a change of a name that lost its answer and was replaced by a later one is no conflict', async () => {
  const [store, other] = [await open(), await open(faulty.server.endpoint)]
  const [first, second, third] = await Promise.all(
    ['first', 'second', 'third'].map(async text => (await putStoreImage(store, text)).manifest),
  )
  await store.references.set('app:1', first!)
  loseAnswer(async () => {
    await other.references.set('app:1', third!, { expected: second!.digest })
    await other.references.set('app:1', second!, { expected: third!.digest })
    await other.references.set('app:1', third!, { expected: second!.digest })
  })
  expect(await store.references.set('app:1', second!, { expected: first!.digest })).toBe('app:1')
  expect(await store.references.get('app:1')).toEqual(third)

  // Another machine goes back to the expected image: the change must not be made twice.
  loseAnswer(() => other.references.set('app:1', third!, { expected: second!.digest }))
  expect(await store.references.set('app:1', second!, { expected: third!.digest })).toBe('app:1')
  expect(await store.references.get('app:1')).toEqual(third)
})

test('a change that lost its answer and was replaced without a look is a conflict that says so', async () => {
  const [store, other] = [await open(), await open(faulty.server.endpoint)]
  const [{ manifest: first }, { manifest: second }] = [await putStoreImage(store), await putStoreImage(store, 'second')]
  loseAnswer(() => other.references.set('app:1', second))
  await expect(store.references.set('app:1', first, { expected: null })).rejects.toMatchObject({
    code: 'ERR_REFERENCE_CONFLICT',
    message: expect.stringContaining('it may have been made before that'),
  })
  await expect(store.references.set('app:1', first, { expected: null })).rejects.toMatchObject({
    code: 'ERR_REFERENCE_CONFLICT',
    message: expect.not.stringContaining('may have been made'),
  })
})
