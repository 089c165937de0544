import { expect, test } from 'vitest'
import { type Descriptor, Limits, MediaType } from '../../lib/oci/index.ts'
import { assertComplete, createMemoryStore, readDocument } from '../../lib/store/index.ts'
import { putStoreDocument, putStoreImage } from '../helpers/store-image.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const indexOf = (...manifests: Descriptor[]) => ({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests })

test('indexes inside indexes are followed down to the limit and no further', async () => {
  const store = createMemoryStore()
  let root = (await putStoreImage(store)).manifest
  for (let depth = 0; depth <= Limits.indexDepth; depth++) {
    root = await putStoreDocument(store, MediaType.OciIndex, indexOf(root))
    if (depth < Limits.indexDepth) await assertComplete(store, root)
  }
  expect((await thrownBy(() => assertComplete(store, root))).code).toBe('ERR_INVALID_INDEX')
})

test('a graph that names the same image a thousand times is walked once', async () => {
  const store = createMemoryStore()
  const { manifest } = await putStoreImage(store)
  let reads = 0
  const counting = {
    stat: store.stat.bind(store),
    read: (...args: Parameters<typeof store.read>) => {
      reads++
      return store.read(...args)
    },
  }
  const index = await putStoreDocument(store, MediaType.OciIndex, indexOf(...Array(1000).fill(manifest)))
  await assertComplete(counting, index)
  expect(reads).toBe(2)
})

test('a document over the limit is refused before anything is read', async () => {
  const store = createMemoryStore()
  const { manifest } = await putStoreImage(store)
  const error = await thrownBy(() => readDocument(store, manifest, { limit: 10 }))
  expect(error.code).toBe('ERR_LIMIT_EXCEEDED')
  const liar = { ...manifest, size: 5 }
  expect((await thrownBy(() => readDocument(store, liar, { limit: 10 }))).code).toBe('ERR_LIMIT_EXCEEDED')
  expect((await thrownBy(() => readDocument(store, liar))).code).toBe('ERR_SIZE_MISMATCH')
  const huge = { ...manifest, size: Limits.manifestBytes + 1 }
  expect((await thrownBy(() => assertComplete(store, huge))).code).toBe('ERR_SIZE_MISMATCH')
})

test('a missing blob is reported with the document that refers to it', async () => {
  const store = createMemoryStore()
  const { manifest, layer, config } = await putStoreImage(store)
  await store.delete(layer.digest)
  expect(await thrownBy(() => assertComplete(store, manifest))).toMatchObject({
    code: 'ERR_BLOB_NOT_FOUND',
    digest: layer.digest,
    parent: manifest.digest,
  })
  const wrong = { ...config, size: config.size + 1 }
  const lying = await putStoreDocument(store, MediaType.OciManifest, { schemaVersion: 2, config: wrong, layers: [] })
  const error = await thrownBy(() => assertComplete(store, lying))
  expect(error.code).toBe('ERR_SIZE_MISMATCH')
  expect(error.message).toContain(lying.digest)
})

test('a foreign layer that is there must have its size', async () => {
  const store = createMemoryStore()
  const { config, layer } = await putStoreImage(store)
  const foreign = { ...layer, mediaType: MediaType.DockerForeignLayerGzip, size: layer.size + 1 }
  const manifest = await putStoreDocument(store, MediaType.OciManifest, { schemaVersion: 2, config, layers: [foreign] })
  expect((await thrownBy(() => assertComplete(store, manifest))).code).toBe('ERR_SIZE_MISMATCH')
})

test('a walk can be stopped', async () => {
  const store = createMemoryStore()
  const { manifest } = await putStoreImage(store)
  const reason = new Error('enough')
  expect(await thrownBy(() => assertComplete(store, manifest, { signal: AbortSignal.abort(reason) }))).toBe(reason)
})
