import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { type OpenObjectStoreOptions, openObjectStore } from '../../lib/object-store/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
import { type MemoryS3, startMemoryS3 } from '../helpers/memory-s3.ts'
import { readAll } from '../helpers/read-all.ts'
import { type S3Fault, type S3Proxy, startS3Proxy } from '../helpers/s3-proxy.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'

/* A store behind a proxy that does harm: nothing is lost, nothing is named incomplete, every wait ends. */

const MIB = 1024 * 1024
let server: MemoryS3
let proxy: S3Proxy
beforeEach(async () => {
  server = await startMemoryS3()
  proxy = await startS3Proxy(server.endpoint)
})
afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** A store as one machine opens it, with short limits. The WASM hasher saves its state with parts. */
async function open(endpoint = proxy.endpoint): Promise<Store> {
  const { bucket, settings } = server
  const options: OpenObjectStoreOptions = {
    endpoint,
    bucket,
    region: settings.region,
    credentials: settings.key,
    hasher: 'wasm',
    partSize: 5 * MIB,
    retry: { baseDelayMs: 2, maxDelayMs: 10 },
    timeouts: { connectMs: 2000, answerMs: 300, idleMs: 300 },
  }
  const store = await openObjectStore(options)
  onTestFinished(() => store.close().catch(() => undefined))
  return store
}

/** Does a fault to one request in so many, and at most four to requests of one kind: the fifth try succeeds. */
function harm(fault: S3Fault, every: number): void {
  const done = new Map<string, number>()
  let count = 0
  proxy.fault = ({ method, url }) => {
    const kind = `${method} ${url}`
    const before = done.get(kind) ?? 0
    if (++count % every !== 0 || before === 4) return undefined
    done.set(kind, before + 1)
    return fault
  }
}

/** Puts the first part of a blob, and the rest through another store. */
async function putInTwoTurns(one: Store, other: Store, bytes: Buffer): Promise<void> {
  const digest = await digestOf(bytes)
  const first = await one.ingest(digest)
  await first.write(bytes.subarray(0, 6 * MIB))
  await first[Symbol.asyncDispose]()
  const second = await other.ingest(digest)
  expect(second.offset).toBeGreaterThanOrEqual(5 * MIB)
  await second.write(bytes.subarray(second.offset))
  expect(await second.commit({ digest })).toEqual({ digest, size: bytes.byteLength })
}

/** Two machines move a name at once, several times: each time one of them wins, and what it wrote is there. */
async function swapByTwo(stores: readonly [Store, Store]): Promise<void> {
  let expected: Digest | null = null
  for (let turn = 0; turn < 4; turn++) {
    const before: Digest | null = expected
    const images = await Promise.all(stores.map((store, i) => putStoreImage(store, `image ${turn} of ${i}`)))
    const swaps: Promise<string>[] = stores.map((store, i) =>
      store.references.set('app:1', images[i]!.manifest, { expected: before }),
    )
    const settled: PromiseSettledResult<string>[] = await Promise.allSettled(swaps)
    const won = settled.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
    expect(won, JSON.stringify(settled)).toHaveLength(1)
    const lost = settled[1 - won[0]!]
    expect(lost).toMatchObject({ reason: { code: 'ERR_REFERENCE_CONFLICT' } })
    expected = images[won[0]!]!.manifest.digest
    for (const store of stores) expect((await store.references.get('app:1'))?.digest).toBe(expected)
  }
}

const all: [S3Fault, number][] = [
  ['lose', 3],
  ['half-written', 3],
  [503, 3],
  ['half', 3],
  ['delay', 5],
  ['cut', 3],
  ['repeat', 3],
  ['twice', 3],
  ['hang', 40],
  [409, 3],
  [500, 3],
]

test.each(sweep(all, all.slice(0, 4)))(
  'a store loses nothing if requests suffer %s, one in %i',
  async (fault, every) => {
    harm(fault, every)
    const stores: [Store, Store] = [await open(), await open()]
    const garbage = await Promise.all(stores.map((store, i) => store.put(Buffer.from(`garbage ${i}`))))
    const large = randomBytes(7 * MIB)
    await putInTwoTurns(...stores, large)
    await swapByTwo(stores)
    const kept = await putStoreImage(stores[0], large)
    await stores[1].references.set('large:1', kept.manifest)
    await Promise.all(stores.map(store => store.close()))

    // What lost answers have begun, such as uploads, a collection ends by its age.
    server.settings.aheadMs = 25 * 3_600_000
    const collector = await open()
    const plan = await planCollection(collector, { graceMs: 0, force: true })
    expect(plan.missing).toEqual([])
    const { errors } = await runCollection(collector, plan)
    expect(errors).toEqual([])
    await collector.close()
    expect(proxy.done.length).toBeGreaterThan(5)

    // A machine behind no proxy sees what is there.
    await using store = await open(server.endpoint)
    for (const { digest } of garbage) expect(await store.stat(digest)).toBeUndefined()
    expect((await readAll(store.read(kept.layer.digest))).equals(large)).toBe(true)
    for await (const { descriptor } of store.references.list()) await assertComplete(store, descriptor)
    // Two names with a layer, a configuration and a manifest each.
    expect([...server.objects.keys()].filter(key => key.startsWith('blobs/'))).toHaveLength(6)
    expect([...server.uploads]).toEqual([])
    expect((await checkStore(store)).problems).toEqual([])
  },
  30_000,
)

test.each<S3Fault>(['cut', 503, 'hang'])(
  'each call of a store ends with a typed error while %s lasts, and works afterwards',
  async fault => {
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
    expect(performance.now() - began).toBeLessThan(10_000)
    proxy.fault = () => undefined
    expect(await store.references.get('app:2')).toBeUndefined()
    await store.references.set('app:2', manifest)
    await assertComplete(store, (await store.references.get('app:2'))!)
    expect((await store.put(Buffer.from('new'))).size).toBe(3)
    await (await store.ingest('another')).abort()
    proxy.fault = () => fault
    await store.close().catch(() => undefined)
    expect(performance.now() - began).toBeLessThan(20_000)
  },
  30_000,
)
