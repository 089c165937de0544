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
const pull = async () => runPull(await planPull(registry, store, `${server.host}/app:1`), { verifyDiffIds: true })

test('layers are proven against their diffIDs, and their indexes are kept', async () => {
  const { layers } = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  await pull()
  for (const { descriptor, diffId } of layers) {
    expect(await store.derived.get('indexes', diffId)).toBeDefined()
    expect(await layerFact(store, descriptor.digest)).toMatchObject({ diffId, proven: true })
  }
  // What is proven is not opened again: it could not be, if it were gone.
  const reads: string[] = []
  const read = store.read.bind(store)
  store.read = (digest, options) => {
    reads.push(digest)
    return read(digest, options)
  }
  await pull()
  expect(reads).not.toContain(layers[0]!.descriptor.digest)
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
  expect(await layerFact(store, layers[0]!.descriptor.digest)).toBeUndefined()
  await runPull(await planPull(registry, store, `${server.host}/app:1`))
  expect(await store.references.get(`${server.host}/app:1`)).toBeDefined()
})
