import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry, type FaultyRegistry } from '../../lib/testing/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

const SMALL = 256 * 1024
const image = twentyLayers(10_000)
let directory: ReturnType<typeof temporaryDirectory>
let registry: FaultyRegistry
let remote: Store
let store: Store
let ingests: string[]

beforeEach(async () => {
  directory = temporaryDirectory('small-blobs')
  remote = createMemoryStore()
  await fill(image)
  registry = await createFaultyRegistry({ store: remote })
  store = await openStore(directory.path)
  ingests = []
  const { ingest } = store
  store.ingest = (key, options) => {
    ingests.push(key)
    return ingest.call(store, key, options)
  }
})
afterEach(async () => {
  await store.close()
  await registry.close()
  directory[Symbol.dispose]()
})

async function fill({ blobs, manifest }: ReturnType<typeof twentyLayers>, name = 'app:1') {
  for (const { bytes } of blobs) await remote.put(bytes)
  await remote.put(manifest.bytes)
  await remote.references.set(name, manifest.descriptor)
}
const pull = async (client = registryClientFor(), name = 'app:1') => {
  await using registryClient = client
  return runPull(await planPull(registryClient, store, `${registry.host}/${name}`))
}
const gets = () => registry.seen.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))

test('small blobs are stored without an ingest, and leave no other file', async () => {
  const result = await pull()
  expect(result).toMatchObject({ blobsFetched: 22, bytesFetchedAgain: 0 })
  expect(ingests).toEqual([])
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  await store.close()
  expect(readdirSync(join(directory.path, '.layerstore/ingests'))).toEqual([])
})

test('a blob one byte larger uses an ingest, which another pull waits for and resumes', async () => {
  const [at, above] = [twentyLayers(SMALL, 1), twentyLayers(SMALL + 1, 1)]
  await fill(at, 'at:1')
  await fill(above, 'above:1')
  await pull(registryClientFor(), 'at:1')
  expect(ingests).toEqual([])
  await pull(registryClientFor(), 'above:1')
  expect(ingests).toEqual([above.layers[0]!.descriptor.digest])
})

test('pulls of one process that share small blobs fetch each once, also through different clients', async () => {
  const results = await Promise.all(Array.from({ length: 5 }, () => pull()))
  expect(gets().length).toBe(21)
  expect(results.reduce((sum, { blobsFetched }) => sum + blobsFetched, 0)).toBeLessThan(22 + 4 * 2)
})

test('a pull that waits for a small blob fetches it if the other pull fails', async () => {
  registry.misbehave({ kind: 'stall', after: 10 }, { path: /blobs/, times: 4 })
  const stop = new AbortController()
  const reason = new Error('enough')
  await using client = registryClientFor()
  const plan = await planPull(client, store, `${registry.host}/app:1`)
  const first = runPull(plan, { signal: stop.signal })
  await expect.poll(() => gets().length).toBe(4)
  const second = pull()
  setTimeout(() => stop.abort(reason), 100)
  await expect(first).rejects.toBe(reason)
  expect((await second).digest).toBe(image.manifest.descriptor.digest)
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
})

test.each([
  ['cut off', { kind: 'cut', after: 5000 }],
  ['with a wrong byte', { kind: 'flip', at: 5000 }],
] as const)('a small blob that comes %s is fetched again, and was never visible', async (_, fault) => {
  registry.misbehave(fault, { path: /blobs/ })
  const result = await pull()
  expect(result.digest).toBe(image.manifest.descriptor.digest)
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
})

test('a small blob that stays wrong is a digest mismatch, and leaves no file', async () => {
  registry.misbehave({ kind: 'flip', at: 5000 }, { path: new RegExp(image.layers[3]!.descriptor.digest), times: 9 })
  await expect(pull()).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  expect(await store.stat(image.layers[3]!.descriptor.digest)).toBeUndefined()
  expect(await store.references.get(`${registry.host}/app:1`)).toBeUndefined()
})
