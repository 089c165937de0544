import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage, type Image, readImage } from '../../lib/image/index.ts'
import { fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { checkStore, planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { Annotation, remoteLayersOf } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { copyImage, parsePlan, planPush, pullImage, pushImage, runPush } from '../../lib/transfer/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { separateRepositories } from '../helpers/separate-repositories.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const platform = 'linux/amd64'
let registry: RegistryClient
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
let base: Image

beforeEach(async () => {
  registry = separateRepositories(registryClientFor(), repository => repository === 'base')
  remote = createMemoryStore()
  server = await serveStore(remote)
  base = await sampleImage(remote, [{ 'etc/os': 'base' }, { 'usr/lib': 'x'.repeat(3000) }], {
    name: 'base:1',
    config: { Env: ['PATH=/bin'] },
  })
})
afterEach(async () => {
  await registry.close()
  await server[Symbol.asyncDispose]()
})

/** An image of one file on the base in the registry, whose layers nothing has fetched. */
async function onRemoteBase(store: Store, name?: string): Promise<Image> {
  const layer = await writeLayer(store, fromFiles({ 'app/main.js': 'run()' }))
  const below = await readImage(registry, `${server.host}/base:1`, { platform })
  const image = await composeImage(store, { base: below, layers: [layer], config: { Cmd: ['/app/main.js'] } })
  if (name) await store.references.set(name, image.descriptor)
  return image
}

const layerRequests = () => server.requests.filter(line => base.layers.some(l => line.includes(l.descriptor.digest)))
const needs = (plan: { steps: readonly { kind: string; need: string }[] }) =>
  plan.steps.map(({ kind, need }) => `${kind}: ${need}`)

describe('an image on a base that was not pulled', () => {
  test('has the digest that it would have on the pulled base', async () => {
    const [thin, whole] = [createMemoryStore(), createMemoryStore()]
    const image = await onRemoteBase(thin)
    await pullImage(registry, whole, `${server.host}/base:1`, { name: 'base:1', platform })
    const layer = await writeLayer(whole, fromFiles({ 'app/main.js': 'run()' }))
    const other = await composeImage(whole, {
      base: await readImage(whole, 'base:1', { platform }),
      layers: [layer],
      config: { Cmd: ['/app/main.js'] },
    })
    expect(image.descriptor.digest).toBe(other.descriptor.digest)
    expect(remoteLayersOf(image.descriptor)).toEqual([{ registry: server.host, repository: 'base' }])
    expect(remoteLayersOf(other.descriptor)).toEqual([])
    expect(image.config.config?.Env).toEqual(['PATH=/bin'])
  })

  test('is pushed to another repository of the registry without moving a byte of the base', async () => {
    const store = createMemoryStore()
    const image = await onRemoteBase(store)
    const plan = await planPush(store, registry, image, `${server.host}/team/app:1`)
    expect(needs(plan)).toEqual(['config: upload', 'layer: mount', 'layer: mount', 'layer: upload', 'manifest: upload'])
    expect(plan.steps[1]).toMatchObject({
      from: 'base',
      reason: 'left in repository base, from where the registry mounts it',
    })
    const result = await runPush(plan)
    expect(result).toMatchObject({ digest: image.descriptor.digest, blobsMounted: 2, blobsUploaded: 3 })
    expect(layerRequests().filter(line => line.startsWith('GET'))).toEqual([])
    expect((await remote.references.get('team/app:1'))?.digest).toBe(image.descriptor.digest)
    expect(await readImage(remote, 'team/app:1', { platform })).toMatchObject({ layers: image.layers })
  })

  test('is pushed to another registry by copying the layers, which are verified on the way', async () => {
    const elsewhere = createMemoryStore()
    await using other = await serveStore(elsewhere)
    const store = createMemoryStore()
    const image = await onRemoteBase(store, 'app:1')
    const plan = await planPush(store, registry, 'app:1', `${other.host}/app:1`)
    expect(needs(plan).slice(1, 3)).toEqual(['layer: copy', 'layer: copy'])
    expect(plan.steps[1]).toMatchObject({
      from: `${server.host}/base`,
      reason: `not in the store: copied from ${server.host}/base`,
    })
    const stored = parsePlan(Buffer.from(JSON.stringify(plan)))
    if (stored.kind !== 'push') throw new Error('not a push')
    const result = await runPush(stored, { registry, store })
    expect(result.bytesUploaded).toBe(plan.bytesToUpload)
    expect((await elsewhere.references.get('app:1'))?.digest).toBe(image.descriptor.digest)
    for (const { digest } of base.manifest.layers) expect(await store.stat(digest)).toBeUndefined()
  })

  test('is pushed by another process, from the name alone, after the facts are lost', async () => {
    using directory = temporaryDirectory('remote-layers')
    const first = await openStore(directory.path)
    const image = await onRemoteBase(first, 'app:1')
    for (const key of await first.derived.list('facts')) await first.derived.delete('facts', key)
    await first.close()
    await using store = await openStore(directory.path)
    expect(await store.references.get('app:1')).toEqual(image.descriptor)
    const { blobsMounted } = await pushImage(store, registry, 'app:1', `${server.host}/app:1`)
    expect(blobsMounted).toBe(2)
  })

  test('becomes complete when its base is pulled', async () => {
    const store = createMemoryStore()
    await onRemoteBase(store, 'app:1')
    await pullImage(registry, store, `${server.host}/base:1`, { platform })
    const plan = await planPush(store, registry, 'app:1', `${server.host}/app:1`)
    expect(needs(plan)).not.toContain('layer: copy')
    expect((await checkStore(store)).problems).toEqual([])
    const again = await composeImage(store, { base: await readImage(store, 'app:1', { platform }) })
    expect(again.remoteLayers).toBeUndefined()
  })

  test('is the base of a further image, which knows where the layers are', async () => {
    const store = createMemoryStore()
    await onRemoteBase(store, 'app:1')
    const next = await composeImage(store, {
      base: await readImage(store, 'app:1', { platform }),
      config: { User: 'x' },
    })
    await store.references.set('app:2', next.descriptor)
    expect((await pushImage(store, registry, 'app:2', `${server.host}/app:2`)).blobsMounted).toBe(2)
  })

  test('is healthy for a check, and a collection keeps all of it that is there', async () => {
    const store = createMemoryStore()
    const image = await onRemoteBase(store, 'app:1')
    expect(await checkStore(store)).toMatchObject({ problems: [], faults: [] })
    const plan = await planCollection(store, { graceMs: 0, force: true })
    expect(plan).toMatchObject({ missing: [], drop: [] })
    await runCollection(store, plan)
    expect((await store.references.get('app:1'))?.digest).toBe(image.descriptor.digest)
  })

  test('is missing its layers for every other name that does not say where they are', async () => {
    const store = createMemoryStore()
    const { descriptor } = await onRemoteBase(store, 'app:1')
    const { annotations: _, ...plain } = descriptor
    await expect(store.references.set('app:2', plain)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
    const odd = { ...plain, annotations: { [Annotation.LayersFrom]: 'NOT A REPOSITORY' } }
    await expect(store.references.set('app:2', odd)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  })
})

test('a layer that neither the store nor a known repository has is reported before anything moves', async () => {
  const store = createMemoryStore()
  const layer = await writeLayer(store, fromFiles({ a: 'a' }))
  const image = await composeImage(store, { layers: [layer] })
  await store.delete(layer.descriptor.digest)
  await expect(planPush(store, registry, image, `${server.host}/app:1`)).rejects.toMatchObject({
    code: 'ERR_BLOB_NOT_FOUND',
    digest: layer.descriptor.digest,
  })
})

test('a document may not be left in a registry: only layers', async () => {
  const store = createMemoryStore()
  const image = await onRemoteBase(store)
  await store.delete(image.manifest.config.digest)
  await expect(store.references.set('app:1', image.descriptor)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
})

test('of an index in a registry the image of a platform is read; wrong bytes of its config are refused', async () => {
  const read = readImage(registry, `${server.host}/base:1`, { platform })
  expect(await read).toMatchObject({ manifest: base.manifest, config: base.config, layers: base.layers })
  const lying = {
    fetchManifest: registry.fetchManifest.bind(registry),
    fetchBlob: async function* () {
      yield Buffer.alloc(base.manifest.config.size)
    },
  }
  await expect(readImage(lying, `${server.host}/base:1`, { platform })).rejects.toMatchObject({
    code: 'ERR_DIGEST_MISMATCH',
  })
})

test('a registry over a store answers for an image without its base layers that it has none, and where they are', async () => {
  const store = createMemoryStore()
  await onRemoteBase(store, 'app:1')
  await using served = await serveStore(store)
  const answer = await fetch(`http://${served.host}/v2/app/manifests/1`)
  expect(answer.status).toBe(404)
  expect(await answer.text()).toContain(`were left in ${server.host}/base; pull them`)
  await pullImage(registry, store, `${server.host}/base:1`, { platform })
  expect(await readImage(registry, `${served.host}/app:1`, { platform })).toBeDefined()
})

test('a layer that the registry does not mount is copied through this process, unless the repository has it', async () => {
  const store = createMemoryStore()
  const image = await onRemoteBase(store)
  const [first, second] = base.layers.map(layer => layer.descriptor)
  const refusing = (has: (repository: string, digest: string) => boolean) =>
    new Proxy(separateRepositories(registryClientFor(), has), {
      get: (target, key) => (key === 'mountBlob' ? async () => false : Reflect.get(target, key)),
    })
  const plan = await planPush(
    store,
    refusing(() => false),
    image,
    `${server.host}/app:1`,
  )
  expect(needs(plan).slice(1, 3)).toEqual(['layer: mount', 'layer: mount'])
  const client = refusing((repository, digest) => repository === 'app' && digest === first!.digest)
  const result = await runPush(plan, { registry: client, store })
  expect(result.blobsMounted).toBe(0)
  expect(result.bytesUploaded - plan.bytesToUpload).toBe(second!.size)
  expect((await remote.references.get('app:1'))?.digest).toBe(image.descriptor.digest)
})

test('a copy from a store takes the layers from where its names say only if it is told to', async () => {
  const store = createMemoryStore()
  const image = await onRemoteBase(store, 'app:1')
  await using other = await serveStore(createMemoryStore())
  const to = { registry, reference: `${other.host}/app:1` }
  await expect(copyImage({ store, name: 'app:1' }, to)).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  const { digest } = await copyImage({ store, name: 'app:1', remoteLayers: true }, to)
  expect(digest).toBe(image.descriptor.digest)
})
