import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { pushImage, rawImage } from '../helpers/push-image.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { serveStore } from '../helpers/serve-store.ts'

const image = rawImage('a')
const put = (registry: RunningServer, reference: string, query: string) =>
  registry.ask('PUT', `/v2/app/manifests/${reference}?${query}`, {
    headers: { 'content-type': image.mediaType },
    body: image.manifest,
  })

async function withBlobs(): Promise<RunningServer> {
  const registry = await runningServer()
  for (const { bytes } of image.blobs) await registry.store.put(bytes)
  return registry
}

test('one request sets several tags and lists them in OCI-Tag', async () => {
  await using registry = await withBlobs()
  const answer = await put(registry, image.digest, 'tag=1&tag=1.2&tag=latest&tag=1')
  expect(answer).toMatchObject({ status: 201, headers: { 'oci-tag': '1, 1.2, latest' } })
  const { tags } = (await registry.ask('GET', '/v2/app/tags/list')).json()
  expect(tags).toEqual(['1', '1.2', 'latest'])
})

test('the tag in the path is one of the tags set', async () => {
  await using registry = await withBlobs()
  expect((await put(registry, '0', 'tag=1')).headers['oci-tag']).toBe('0, 1')
})

test('an invalid tag among several is refused, and no tag is set', async () => {
  await using registry = await withBlobs()
  const answer = await put(registry, image.digest, 'tag=1&tag=-x')
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
  expect((await registry.ask('GET', '/v2/app/tags/list')).status).toBe(404)
  expect((await registry.ask('GET', `/v2/app/manifests/${image.digest}`)).status).toBe(404)
})

test('more than a hundred tags in one request are refused', async () => {
  await using registry = await withBlobs()
  const query = (n: number) => Array.from({ length: n }, (_, i) => `tag=${i}`).join('&')
  expect((await put(registry, image.digest, query(101))).status).toBe(414)
  expect((await put(registry, image.digest, query(100))).status).toBe(201)
})

test('the client sets all tags in one request', async () => {
  await using store = createMemoryStore()
  await using server = await serveStore(store)
  await pushImage(`http://${server.host}`, 'app', '0', image)
  server.requests.length = 0
  await using client = registryClientFor()
  const descriptor = { mediaType: MediaType.OciManifest, digest: image.digest as Digest, size: image.manifest.length }
  const tags = ['1', '2', '3']
  await client.pushManifest({ registry: server.host, repository: 'app' }, { descriptor, bytes: image.manifest }, tags)
  expect(server.requests.filter(line => line.startsWith('PUT'))).toHaveLength(1)
  for (const tag of tags) expect((await store.references.get(`app:${tag}`))?.digest).toBe(image.digest)
})
