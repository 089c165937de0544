import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { attachArtifact, pullDocuments } from '../../lib/transfer/index.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndexImage } from '../helpers/sample-index-image.ts'
import { serveStore } from '../helpers/serve-store.ts'

let registry: RegistryClient
let remote: Store
let server: Awaited<ReturnType<typeof serveStore>>
beforeEach(async () => {
  registry = registryClientFor()
  remote = createMemoryStore()
  server = await serveStore(remote)
})
afterEach(async () => {
  await registry.close()
  await server[Symbol.asyncDispose]()
})

test('an artifact is pushed to the repository of its subject, where it is listed, without a tag', async () => {
  const image = await sampleImage(remote, [{ a: 'a' }], { name: 'team/app:1' })
  const report = { artifactType: 'application/vnd.example.report', layers: [{ title: 'r.json', content: '{}' }] }
  const { descriptor, subject } = await attachArtifact(registry, `${server.host}/team/app:1`, report)
  expect(subject.digest).toBe(image.descriptor.digest)
  const repository = { registry: server.host, repository: 'team/app' }
  const found = []
  for await (const one of registry.listReferrers(repository, image.descriptor.digest)) found.push(one)
  expect(found).toMatchObject([{ digest: descriptor.digest, artifactType: report.artifactType }])
  const again = await attachArtifact(registry, `${server.host}/team/app:1`, report)
  expect(again.descriptor).toEqual(descriptor)
  const tags = []
  for await (const tag of registry.listTags(repository)) tags.push(tag)
  expect(tags).toEqual(['1'])
  await expect(attachArtifact(registry, `${server.host}/none:1`, report)).rejects.toMatchObject({
    code: 'ERR_MANIFEST_NOT_FOUND',
  })
})

test('the documents of an index are pulled without a layer, and may be named', async () => {
  const { descriptor, images } = await sampleIndexImage(remote, ['amd64', 'arm64'], 'app:1')
  const store = createMemoryStore()
  const root = await pullDocuments(registry, store, `${server.host}/app:1`)
  expect(root.digest).toBe(descriptor.digest)
  await store.references.set('app:1', root)
  for (const { manifest } of images) {
    expect(await store.stat(manifest.config.digest)).toBeDefined()
    for (const { digest } of manifest.layers) expect(await store.stat(digest)).toBeUndefined()
  }
  server.requests.length = 0
  expect(await pullDocuments(registry, store, `${server.host}/app:1`)).toEqual(root)
  expect(server.requests.filter(line => !line.includes('/v2/ ') && line !== 'GET /v2/')).toHaveLength(1)
})
