import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { openObjectStore } from '../../lib/object-store/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { pullImage, pushImage } from '../../lib/transfer/index.ts'
import { startMemoryS3 } from '../helpers/memory-s3.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { putStoreDocument, putStoreImage } from '../helpers/store-image.ts'

/* README.md of object-store and the guide share-a-store.md state these numbers. */

async function setUp() {
  const s3 = await startMemoryS3()
  onTestFinished(() => s3[Symbol.asyncDispose]())
  const { endpoint, bucket, settings } = s3
  const place = { endpoint, bucket, prefix: 'team', region: settings.region, credentials: settings.key }
  return {
    place,
    open: () => openObjectStore(place),
    /** Number of requests of an act. */
    async count(act: () => Promise<unknown>): Promise<number> {
      s3.requests.length = 0
      await act()
      return s3.requests.length
    },
    /** Number of requests in the last act that change something. */
    writes: () => s3.requests.filter(request => !/^(GET|HEAD) /.test(request)).length,
    /** Number of looks at blobs in the last act. */
    looks: () => s3.requests.filter(request => /^HEAD \S*\/blobs\//.test(request)).length,
  }
}

test('each act of a store in a bucket takes as many requests as README.md says', async () => {
  const { place, open, count } = await setUp()
  const elsewhere = { ...place, endpoint: place.endpoint.replace('127.0.0.1', 'localhost') }
  expect(await count(open)).toBe(12)
  expect(await count(open)).toBe(1)
  expect(await count(() => openObjectStore(elsewhere))).toBe(10)
  await using store = await open()
  const blob = Buffer.from('blob')
  const digest = await digestOf(blob)
  expect(await count(() => store.put(blob))).toBe(2)
  expect(await count(() => store.put(blob))).toBe(5)
  expect(await count(() => store.put(Buffer.from('{"schemaVersion":2}')))).toBe(4)
  expect(await count(() => store.stat(digest))).toBe(1)
  expect(await count(() => readAll(store.read(digest)))).toBe(1)
  expect(await count(() => store.leases.touch(digest))).toBe(3)
  expect(await count(async () => store.leases.touch(await digestOf(Buffer.from('absent'))))).toBe(1)
  const ingest = async () => {
    const writer = await store.ingest('key')
    await writer.write(Buffer.from('ingested'))
    await writer.commit()
  }
  expect(await count(ingest)).toBe(4)
  const { manifest } = await putStoreImage(store)
  // Its lease ends later, by one request more.
  expect(await count(() => store.references.set('app:1', manifest))).toBe(5 - 1 + 3 + 2)
})

test('a pull, a push and a collection of an image of ten layers take no more requests than the guide says', async () => {
  const { open, count, looks, writes } = await setUp()
  const remote = createMemoryStore()
  const layers = []
  for (let i = 0; i < 10; i++) layers.push({ mediaType: MediaType.OciLayer, ...(await remote.put(randomBytes(1000))) })
  const config = await putStoreDocument(remote, MediaType.OciConfig, {
    ...{ architecture: 'amd64', os: 'linux' },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.digest) },
  })
  const document = { schemaVersion: 2, mediaType: MediaType.OciManifest, config, layers }
  const manifest = await putStoreDocument(remote, MediaType.OciManifest, document)
  await remote.references.set('app:1', manifest)
  await using server = await serveStore(remote)
  await using registry = registryClientFor()
  await (await open()).close()
  const inStore = (act: (store: Store) => Promise<unknown>) =>
    count(async () => {
      await using store = await open()
      await act(store)
    })
  const name = `${server.host}/app:1`
  const blobs = layers.length + 2
  // Puts that run at once share the look at the collection, so the numbers are not always the same.
  expect(await inStore(store => pullImage(registry, store, name))).toBeLessThanOrEqual(130)
  // By the plan, and by the lease that the pull then holds: nothing asks again.
  expect([looks(), writes()]).toEqual([2 * blobs, 50])
  expect(await inStore(store => pullImage(registry, store, name))).toBeLessThanOrEqual(75)
  // The plan reads the manifest, and looks for the index.
  expect([looks(), writes()]).toEqual([2 * blobs + 2, 17])
  expect(await inStore(store => pushImage(store, registry, name, `${server.host}/other:1`))).toBeLessThanOrEqual(66)
  expect([looks(), writes()]).toEqual([blobs, 26])
  const collect = async (store: Store) => runCollection(store, await planCollection(store, { force: true }))
  expect(await inStore(collect)).toBeLessThanOrEqual(30)
})
