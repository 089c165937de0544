import { expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import { knownSourcesOf, layersOfDiffId, recordKnownSource } from '../../lib/store/index.ts'
import { planPull, planPush, runPull, runPush } from '../../lib/transfer/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'

import { separateRepositories } from '../helpers/separate-repositories.ts'

import { ref, registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'

serveRegistry()

test('a pull and a push record which repository holds the blobs', async () => {
  const image = await sampleImage(remote, [{ a: 'a' }], { name: 'team/base:1' })
  await runPull(await planPull(registry, store, ref('team/base:1')))
  const { digest } = image.layers[0]!.descriptor
  const source = { registry: server.host, repository: 'team/base' }
  expect(await knownSourcesOf(store, digest)).toMatchObject([source])
  expect(await knownSourcesOf(store, image.manifest.config.digest)).toMatchObject([source])
  expect(await knownSourcesOf(store, image.descriptor.digest)).toMatchObject([source])
  await runPush(await planPush(store, registry, ref('team/base:1'), ref('team/other:1')))
  expect(await knownSourcesOf(store, digest)).toMatchObject([{ repository: 'team/other' }, source])
})

test('a push mounts blobs that this store pulled from another repository, without an option', async () => {
  const image = await sampleImage(remote, [{ a: 'a' }], { name: 'team/base:1' })
  await runPull(await planPull(registry, store, ref('team/base:1')))
  const client = separateRepositories(registry, repository => repository === 'team/base')
  const plan = await planPush(store, client, ref('team/base:1'), ref('app:2'), {})
  // The manifest is everywhere in this server, so only a plan for a changed image asks for each blob.
  expect(plan.bytesToUpload).toBe(0)
  const changed = await composeImage(store, { base: image, layers: [], config: { Cmd: ['/x'] } })
  await store.references.set('app:2', changed.descriptor)
  const second = await planPush(store, client, 'app:2', ref('app:2'))
  expect(second.steps.filter(step => step.kind === 'layer')).toMatchObject([
    { need: 'mount', from: 'team/base', reason: 'repository team/base has it, as this store knows' },
  ])
  server.requests.length = 0
  expect(await runPush(second)).toMatchObject({ blobsMounted: 1 })
  expect(server.requests.some(request => request.includes('mount=') && request.includes('from=team%2Fbase'))).toBe(true)
})

test('a push does not fail if a known repository lost the blob, is not readable, or is in another registry', async () => {
  const image = await sampleImage(store, [{ a: 'a' }], { name: 'app:1' })
  const { digest } = image.layers[0]!.descriptor
  for (const repository of ['gone', 'forbidden', 'never-asked']) {
    await recordKnownSource(store, digest, { registry: server.host, repository })
  }
  await recordKnownSource(store, digest, { registry: 'other.example', repository: 'elsewhere' })
  await recordKnownSource(store, digest, { registry: server.host, repository: 'forbidden' })
  const asked: string[] = []
  const client = new Proxy(registry, {
    get: (target, key) => {
      if (key === 'statBlob') {
        return async ({ repository }: { repository: string }) => {
          asked.push(repository)
          if (repository === 'forbidden') await target.resolve({ registry: server.host, repository: 'none', tag: 'x' })
          return undefined
        }
      }
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  const plan = await planPush(store, client, 'app:1', ref('app:1'))
  expect(plan.steps.every(step => step.need === 'upload')).toBe(true)
  expect(asked.filter(repository => repository !== 'app').sort()).toEqual(['forbidden', 'never-asked'])
})

test('a plan names a stored blob with the same content in another compression, and fetches the layer all the same', async () => {
  const files = () => [{ path: 'a', type: 'file', content: Buffer.alloc(10_000, 'a') } as const]
  const platform = { os: 'linux', architecture: 'amd64' }
  const gzip = await writeLayer(remote, files())
  const plain = await writeLayer(remote, files(), { compression: 'none' })
  for (const [name, layer] of [
    ['app:gzip', gzip],
    ['app:plain', plain],
  ] as const) {
    await remote.references.set(name, (await composeImage(remote, { layers: [layer], platform })).descriptor)
  }
  await runPull(await planPull(registry, store, ref('app:gzip'), { platform: 'linux/amd64' }))
  expect(await layersOfDiffId(store, gzip.diffId)).toEqual([
    { digest: gzip.descriptor.digest, diffId: gzip.diffId, proven: false },
  ])
  const plan = await planPull(registry, store, ref('app:plain'), { platform: 'linux/amd64' })
  expect(plan.steps.find(step => step.kind === 'layer')).toMatchObject({
    need: 'fetch',
    sameDiffIdAs: gzip.descriptor.digest,
    reason: `not in the store; same diffID under another compression: ${gzip.descriptor.digest}`,
  })
  expect((await runPull(plan)).blobsFetched).toBe(2)
  await store.delete(plain.descriptor.digest)
  await store.delete(gzip.descriptor.digest)
  const later = await planPull(registry, store, ref('app:plain'), { platform: 'linux/amd64' })
  expect(later.steps.find(step => step.kind === 'layer')).not.toHaveProperty('sameDiffIdAs')
})

test('an artifact that is no image has no diffIDs, and is planned and pulled like an image', async () => {
  const { putStoreDocument } = await import('../helpers/store-image.ts')
  const layer = { mediaType: 'application/vnd.example.thing', ...(await remote.put(Buffer.from('thing'))) }
  const config = await putStoreDocument(remote, 'application/vnd.oci.empty.v1+json', {})
  const manifest = await putStoreDocument(remote, 'application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: [layer],
  })
  await remote.references.set('thing:1', manifest)
  await runPull(await planPull(registry, store, ref('thing:1')))
  await store.delete(layer.digest)
  const plan = await planPull(registry, store, ref('thing:1'))
  expect(plan.steps.find(step => step.kind === 'layer')).toMatchObject({ need: 'fetch', reason: 'not in the store' })
})
