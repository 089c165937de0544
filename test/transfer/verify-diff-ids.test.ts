import { afterEach, beforeEach, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { MediaType } from '../../lib/spec/index.ts'
import { createMemoryStore, layerFact, type Store } from '../../lib/store/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'

let remote: Store
let store: Store
let registry: RegistryClient
let server: Awaited<ReturnType<typeof serveStore>>

beforeEach(async () => {
  remote = createMemoryStore()
  store = createMemoryStore()
  registry = registryClientFor()
  server = await serveStore(remote)
})
afterEach(async () => {
  await registry.close()
  await server[Symbol.asyncDispose]()
})
/** Notes from now on which blobs of a store are read. */
function readsOf(store: Store): string[] {
  const reads: string[] = []
  const read = store.read.bind(store)
  store.read = (digest, options) => {
    reads.push(digest)
    return read(digest, options)
  }
  return reads
}
const pull = async () => runPull(await planPull(registry, store, `${server.host}/app:1`), { verifyDiffIds: true })

test('layers are proven against their diffIDs, and their indexes are kept', async () => {
  const { layers } = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  const opened = readsOf(store)
  await pull()
  expect(opened).toEqual(expect.not.arrayContaining(layers.map(({ descriptor }) => descriptor.digest)))
  for (const { descriptor, diffId } of layers) {
    expect(await store.derived.get('indexes', diffId)).toBeDefined()
    expect(await layerFact(store, descriptor.digest)).toMatchObject({ diffId, proven: true })
  }
  // What is proven is not opened again: it could not be, if it were gone.
  await pull()
  expect(opened).toEqual(expect.not.arrayContaining(layers.map(({ descriptor }) => descriptor.digest)))
})

test('a layer that is not what its media type says is stored first, then proven by its diffID', async () => {
  const { config, manifest, layers } = await sampleImage(remote, [{ a: 'a' }])
  const other = { ...layers[0]!.descriptor, mediaType: MediaType.OciLayerZstd }
  const bytes = canonicalJson({ ...manifest, layers: [other] })
  await remote.references.set('app:1', { mediaType: MediaType.OciManifest, ...(await remote.put(bytes)) })
  await pull()
  const diffId = config.rootfs.diff_ids[0]
  expect(await layerFact(store, other.digest)).toMatchObject({ diffId, proven: true })
})

test('a layer that breaks off under way is told as that, and goes on where it was', async () => {
  const { layers } = await sampleImage(remote, [{ a: Buffer.alloc(300_000, 'a').toString() }], { name: 'app:1' })
  const plan = await planPull(registry, store, `${server.host}/app:1`)
  const { digest } = layers[0]!.descriptor
  const fault = new Error('cut')
  const cut = Object.create(registry, {
    fetchBlob: {
      value: async function* (...asked: Parameters<RegistryClient['fetchBlob']>) {
        if (asked[1].digest !== digest) return yield* registry.fetchBlob(...asked)
        for await (const chunk of registry.fetchBlob(...asked)) {
          yield chunk.subarray(0, 10)
          throw fault
        }
      },
    },
  }) as RegistryClient
  await expect(runPull(plan, { registry: cut, verifyDiffIds: true })).rejects.toBe(fault)
  await pull()
  expect(await layerFact(store, digest)).toMatchObject({ diffId: layers[0]!.diffId, proven: true })
})

test('a config that lists another diffID is found out, and the image gets no name; without the option it does', async () => {
  const { config, manifest, layers } = await sampleImage(remote, [{ a: 'a' }])
  const diffId = `sha256:${'1'.repeat(64)}`
  const wrong = canonicalJson({ ...config, rootfs: { type: 'layers', diff_ids: [diffId] } })
  const configBlob = { mediaType: MediaType.OciConfig, ...(await remote.put(wrong)) }
  const bytes = canonicalJson({ ...manifest, config: configBlob })
  await remote.references.set('app:1', { mediaType: MediaType.OciManifest, ...(await remote.put(bytes)) })
  await expect(pull()).rejects.toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH', layer: layers[0]!.descriptor.digest })
  expect(await store.references.get(`${server.host}/app:1`)).toBeUndefined()
  expect(await layerFact(store, layers[0]!.descriptor.digest)).toMatchObject({
    diffId: layers[0]!.diffId,
    proven: true,
  })
  await runPull(await planPull(registry, store, `${server.host}/app:1`))
  expect(await store.references.get(`${server.host}/app:1`)).toBeDefined()
})
