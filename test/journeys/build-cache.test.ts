import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { checkStore, planCollection, readStoreUsage, runCollection } from '../../lib/maintenance/index.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { copyImage, planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { httpRequest } from '../helpers/http-request.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { putStoreDocument } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/*
 * `docker buildx build --cache-to type=registry` writes an index whose entries are layers and a cache config: blobs,
 * not manifests (buildx#1007, containers/image#2210). Any client that may push can name one.
 */

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let remote: Store
let registry: RegistryClient
let from: Awaited<ReturnType<typeof serveStore>>
let cache: { index: Descriptor; layer: Descriptor; config: Descriptor }

beforeEach(async () => {
  directory = temporaryDirectory('cache')
  store = await openStore(directory.path)
  remote = createMemoryStore()
  registry = registryClientFor()
  from = await serveStore(remote)
  cache = await putCache(remote)
  await remote.references.set('app:cache', cache.index)
})
afterEach(async () => {
  await registry.close()
  await from[Symbol.asyncDispose]()
  await store.close()
  directory[Symbol.dispose]()
})

async function putCache(target: Store) {
  const layer = { mediaType: MediaType.OciLayerGzip, ...(await target.put(Buffer.from('a layer of the cache'))) }
  const body = { layers: [{ blob: layer.digest, parent: -1 }], records: [] }
  const config = await putStoreDocument(target, 'application/vnd.buildkit.cacheconfig.v0', body)
  const document = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [layer, config] }
  return { layer, config, index: await putStoreDocument(target, MediaType.OciIndex, document) }
}

const all = () => Object.values(cache).map(({ digest }) => digest)
const pull = async () => {
  const name = `${from.host}/app:cache`
  await runPull(await planPull(registry, store, name, { name: 'app:cache', allPlatforms: true }))
}

test('a cache is copied whole from registry to registry, and pushed from a store', async () => {
  await pull()
  for (const give of [
    (to: string) => copyImage({ registry, reference: `${from.host}/app:cache` }, { registry, reference: to }),
    async (to: string) => runPush(await planPush(store, registry, 'app:cache', to)),
  ]) {
    const other = createMemoryStore()
    await using to = await serveStore(other)
    await give(`${to.host}/copy:cache`)
    expect(await blobsOf(other)).toEqual(all().sort())
    expect((await other.references.get('copy:cache'))?.digest).toBe(cache.index.digest)
  }
})

test('a store with a cache is checked, measured, collected and repaired like any other', async () => {
  await pull()
  await sampleImage(store, [{ a: 'a' }], { name: 'image:1' })
  const garbage = await store.put(Buffer.from('garbage'))
  expect(await checkStore(store)).toMatchObject({ faults: [], problems: [{ class: 'orphan', digest: garbage.digest }] })
  const usage = await readStoreUsage(store)
  expect(usage.images.map(({ name, blobs }) => [name, blobs])).toEqual([
    ['app:cache', 3],
    ['image:1', 3],
  ])
  const plan = await planCollection(store, { graceMs: 0, force: true })
  expect(plan.drop.map(({ digest }) => digest)).toEqual([garbage.digest])
  await runCollection(store, plan)
  await store.delete(cache.config.digest)
  expect((await checkStore(store)).problems).toMatchObject([
    { class: 'missing', digest: cache.config.digest, reason: expect.stringContaining('tag app:cache → index → blob') },
  ])
})

test('the list of images has it, and every image beside it', async () => {
  await pull()
  await sampleImage(store, [{ a: 'a' }], { name: 'image:1' })
  const { code, stdout, stderr } = await cli(['--json', 'images'], { store: directory.path })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject([
    { name: 'app:cache', platforms: [], size: cache.layer.size + cache.config.size },
    { name: 'image:1', platforms: ['linux/amd64'] },
  ])
})

test('the server keeps what a cache names, and deletes what nothing names', async () => {
  const loose = await remote.put(Buffer.from('named by nothing'))
  const remove = (digest: Digest) => httpRequest(`http://${from.host}`, 'DELETE', `/v2/app/blobs/${digest}`)
  expect((await remove(cache.config.digest)).status).not.toBe(202)
  expect(await remote.stat(cache.config.digest)).toBeDefined()
  expect((await remove(loose.digest)).status).toBe(202)
})
