import { createHash } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { pushImage, type RawImage, rawImage, sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { sampleDescriptor } from '../helpers/sample-documents.ts'

const put = (registry: RunningServer, reference: string, body: Buffer | string, type: string = MediaType.OciManifest) =>
  registry.ask('PUT', `/v2/app/manifests/${reference}`, { headers: { 'content-type': type }, body })

async function storeBlobs(registry: RunningServer, image: RawImage): Promise<void> {
  for (const { bytes } of image.blobs) await registry.store.put(bytes)
}

test('a manifest is served byte for byte by tag and by digest, and HEAD has its headers', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'some/app', '1.0', image)
  const headers = {
    'content-type': image.mediaType,
    'content-length': `${image.manifest.length}`,
    'docker-content-digest': image.digest,
  }
  for (const reference of ['1.0', image.digest, encodeURIComponent(image.digest)]) {
    const path = `/v2/some/app/manifests/${reference}`
    expect(await registry.ask('GET', path)).toMatchObject({ status: 200, headers, body: image.manifest })
    expect(await registry.ask('HEAD', path)).toMatchObject({ status: 200, headers, body: Buffer.alloc(0) })
  }
  expect((await registry.store.references.get('some/app:1.0'))?.digest).toBe(image.digest)
})

test('PUT of a manifest answers with its Location', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await storeBlobs(registry, image)
  expect(await put(registry, '1', image.manifest)).toMatchObject({
    status: 201,
    headers: { location: `/v2/app/manifests/${image.digest}`, 'docker-content-digest': image.digest },
  })
})

test('a manifest put by digest is stored without a name', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await storeBlobs(registry, image)
  expect((await put(registry, image.digest, image.manifest)).status).toBe(201)
  expect((await registry.ask('GET', `/v2/app/manifests/${image.digest}`)).body).toEqual(image.manifest)
  expect((await registry.ask('GET', '/v2/app/tags/list')).status).toBe(404)
})

test('a manifest put by a sha512 digest is found under it', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await storeBlobs(registry, image)
  const digest = `sha512:${createHash('sha512').update(image.manifest).digest('hex')}`
  expect(await put(registry, digest, image.manifest)).toMatchObject({ headers: { 'docker-content-digest': digest } })
  expect((await registry.ask('GET', `/v2/app/manifests/${digest}`)).body).toEqual(image.manifest)
})

test('a manifest put under a wrong digest is refused', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await storeBlobs(registry, image)
  const answer = await put(registry, sha256('other'), image.manifest)
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'DIGEST_INVALID'])
  expect(await registry.store.stat(image.digest as Digest)).toBeUndefined()
})

test('a manifest with missing blobs is refused, and the answer names each of them', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  const answer = await put(registry, '1', image.manifest)
  expect(answer.status).toBe(400)
  expect(answer.json().errors.map(error => [error.code, error.detail!.digest])).toEqual(
    image.blobs.map(blob => ['MANIFEST_BLOB_UNKNOWN', blob.digest]),
  )
  expect(await registry.store.stat(image.digest as Digest)).toBeUndefined()
})

test('the answer names at most 20 missing blobs', async () => {
  await using registry = await runningServer()
  const layers = Array.from({ length: 500 }, (_, i) => sampleDescriptor({ digest: sha256(`${i}`) }))
  expect((await put(registry, '1', rawImage('a', { layers }).manifest)).json().errors).toHaveLength(20)
})

test('a foreign layer may be missing', async () => {
  await using registry = await runningServer()
  const image = rawImage('a', {
    layers: [
      sampleDescriptor({
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
        digest: sha256('foreign'),
        urls: ['https://example.com/layer'],
      }),
    ],
  })
  await storeBlobs(registry, image)
  expect((await put(registry, '1', image.manifest)).status).toBe(201)
})

test('a manifest with a wrong blob size is refused', async () => {
  await using registry = await runningServer()
  const { digest } = await registry.store.put(Buffer.from('layer'))
  const image = rawImage('a', { layers: [sampleDescriptor({ digest, size: 4 })] })
  await storeBlobs(registry, image)
  const answer = await put(registry, '1', image.manifest)
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
})

test('an index is refused unless its manifests and their blobs are stored', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  const manifests = [{ mediaType: image.mediaType, digest: image.digest, size: image.manifest.length }]
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }))
  const unknown = [400, 'MANIFEST_BLOB_UNKNOWN']
  const first = await put(registry, 'multi', index, MediaType.OciIndex)
  expect([first.status, first.json().errors[0]!.code]).toEqual(unknown)
  await registry.store.put(image.manifest)
  const second = await put(registry, 'multi', index, MediaType.OciIndex)
  expect([second.status, second.json().errors[0]!.code]).toEqual(unknown)
  await storeBlobs(registry, image)
  expect((await put(registry, 'multi', index, MediaType.OciIndex)).status).toBe(201)
  expect((await registry.ask('GET', '/v2/app/manifests/multi')).headers['content-type']).toBe(MediaType.OciIndex)
})

test.each([
  ['malformed JSON', '{', MediaType.OciManifest],
  ['an empty body', '', MediaType.OciManifest],
  ['a manifest of another type than announced', rawImage('a').manifest, MediaType.DockerManifest],
  ['a document of an unknown type', '{"schemaVersion":2}', 'text/html'],
  ['a schema 1 manifest', '{"schemaVersion":1,"fsLayers":[]}', 'application/vnd.docker.distribution.manifest.v1+json'],
  ['a Docker manifest without mediaType', rawImage('a', { mediaType: undefined }).manifest, MediaType.DockerManifest],
])('%s is refused', async (_, body, type) => {
  await using registry = await runningServer()
  await storeBlobs(registry, rawImage('a'))
  const answer = await put(registry, '1', body, type)
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
})

test.each([
  'application/json',
  'application/octet-stream',
  '',
  `${MediaType.OciManifest}; charset=utf-8`,
  MediaType.OciManifest.toUpperCase(),
])('the mediaType of the document counts with the Content-Type %j', async type => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await storeBlobs(registry, image)
  expect((await put(registry, '1', image.manifest, type)).status).toBe(201)
  expect((await registry.ask('HEAD', '/v2/app/manifests/1')).headers['content-type']).toBe(MediaType.OciManifest)
})

test.each([true, false])(
  'a manifest over the limit is refused, and the connection stays usable (Content-Length: %s)',
  async said => {
    await using registry = await runningServer({ maxManifestBytes: 1000 })
    const body = Buffer.alloc(3_000_000, ' ')
    const answer = await registry.ask(
      'PUT',
      '/v2/app/manifests/1',
      said ? { body } : { body: [body.subarray(1), body] },
    )
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([413, 'SIZE_INVALID'])
    expect((await registry.ask('GET', '/v2/')).status).toBe(200)
  },
)

test.each(['.hidden', '-x', 'a'.repeat(129), 'ä'])('an invalid tag is refused: %s', async tag => {
  await using registry = await runningServer()
  const path = encodeURIComponent(tag)
  expect((await put(registry, path, rawImage('a').manifest)).json().errors[0]!.code).toBe('MANIFEST_INVALID')
  expect((await registry.ask('GET', `/v2/app/manifests/${path}`)).json().errors[0]!.code).toBe('MANIFEST_UNKNOWN')
})

test('a malformed digest is refused', async () => {
  await using registry = await runningServer()
  for (const reference of ['sha256:abc', 'md5:d41d8cd98f00b204e9800998ecf8427e', sha256('x').toUpperCase()]) {
    const answer = await registry.ask('GET', `/v2/app/manifests/${reference}`)
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'DIGEST_INVALID'])
  }
})

test('a blob of another kind is not served as a manifest', async () => {
  await using registry = await runningServer()
  const small = await registry.store.put(Buffer.from('just bytes'))
  const large = await registry.store.put(Buffer.alloc(5_000_000))
  for (const digest of [small.digest, large.digest, sha256('absent')]) {
    const answer = await registry.ask('GET', `/v2/app/manifests/${digest}`)
    expect([answer.status, answer.json().errors[0]!.code]).toEqual([404, 'MANIFEST_UNKNOWN'])
  }
})

test('a name whose manifest is missing is answered with 404', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  await registry.store.delete(image.digest as Digest)
  expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(404)
})

test('DELETE of a tag removes the name and keeps the manifest', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  await pushImage(registry.url, 'other', '1', image)
  expect((await registry.ask('DELETE', '/v2/app/manifests/1')).status).toBe(202)
  expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(404)
  expect((await registry.ask('GET', `/v2/app/manifests/${image.digest}`)).status).toBe(200)
  expect((await registry.ask('GET', '/v2/other/manifests/1')).status).toBe(200)
  expect((await registry.ask('DELETE', '/v2/app/manifests/1')).status).toBe(404)
})

test('DELETE of a manifest removes all its names in the repository', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  await pushImage(registry.url, 'app', 'latest', image)
  expect((await registry.ask('DELETE', `/v2/app/manifests/${image.digest}`)).status).toBe(202)
  expect((await registry.ask('GET', '/v2/app/tags/list')).status).toBe(404)
  expect((await registry.ask('GET', `/v2/app/manifests/${image.digest}`)).status).toBe(404)
  expect((await registry.ask('DELETE', `/v2/app/manifests/${image.digest}`)).status).toBe(404)
})

test('DELETE keeps a manifest that another repository needs', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  await pushImage(registry.url, 'other', '1', image)
  expect((await registry.ask('DELETE', `/v2/app/manifests/${image.digest}`)).status).toBe(202)
  expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(404)
  expect((await registry.ask('GET', '/v2/other/manifests/1')).status).toBe(200)
  expect((await registry.ask('DELETE', `/v2/app/manifests/${image.digest}`)).status).toBe(405)
})

test('a damaged manifest is an error and is never served', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const { read } = registry.store
  registry.store.read = async function* (digest, options) {
    for await (const chunk of read.call(registry.store, digest, options)) {
      yield digest === image.digest ? Buffer.from(chunk.map(byte => byte ^ 1)) : chunk
    }
    if (digest === image.digest) throw new Error('this blob is damaged')
  }
  expect((await registry.ask('GET', '/v2/app/manifests/1')).status).toBe(500)
})

test('a manifest collected between stat and read is answered with 404', async () => {
  await using registry = await runningServer()
  const image = rawImage('a')
  await pushImage(registry.url, 'app', '1', image)
  const looked = (await registry.store.stat(image.digest as Digest))!
  vi.spyOn(registry.store, 'stat').mockImplementationOnce(async digest => {
    await registry.store.delete(digest)
    return looked
  })
  const answer = await registry.ask('GET', `/v2/app/manifests/${image.digest}`)
  expect(answer.status).toBe(404)
  expect(answer.body.toString()).toContain('MANIFEST_UNKNOWN')
})
