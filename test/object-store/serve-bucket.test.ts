import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { type BucketOptions, openObjectStore } from '../../lib/object-store/index.ts'
import type { RegistryServerOptions } from '../../lib/server/index.ts'
import { fetchUntil } from '../helpers/fetch-until.ts'
import { MemoryObjects } from '../helpers/memory-bucket.ts'
import { openInMemory } from '../helpers/memory-object-store.ts'
import { sha256 } from '../helpers/push-image.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { runningServer } from '../helpers/running-server.ts'
import { needsCephRgw } from '../helpers/start-ceph-rgw.ts'
import { startCephPlace, startMemoryPlace } from '../helpers/start-place.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const bytes = randomBytes(200_000)
const digest = sha256(bytes)

/** Two servers over one bucket that exchange no message, as on two machines. */
async function twoServers(options: RegistryServerOptions = {}) {
  const objects = new MemoryObjects()
  const one = await runningServer({ shareUploads: true, ...options }, await openInMemory(objects))
  const two = await runningServer({ shareUploads: true, ...options }, await openInMemory(objects))
  return {
    ...{ one, two, objects },
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]()
      await two[Symbol.asyncDispose]()
    },
  }
}

test('several servers over one bucket behave as one', async () => {
  await using servers = await twoServers()
  const { one, two } = servers
  const at = (await one.ask('POST', '/v2/app/blobs/uploads/')).headers.location!
  expect((await two.ask('PATCH', at, { body: bytes.subarray(0, 70_000) })).headers.range).toBe('0-69999')
  expect((await one.ask('PATCH', at, { body: bytes.subarray(70_000, 150_000) })).headers.range).toBe('0-149999')
  expect((await two.ask('PUT', `${at}?digest=${digest}`, { body: bytes.subarray(150_000) })).status).toBe(201)
  const empty = Buffer.from('{}')
  await two.ask('POST', `/v2/app/blobs/uploads/?digest=${sha256(empty)}`, { body: empty })
  const artifact = (more: object) =>
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: MANIFEST, artifactType: 'application/x-test' },
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(empty), size: 2 },
      layers: [{ mediaType: 'application/octet-stream', digest, size: bytes.byteLength }],
      ...more,
    })
  const put = (name: string, body: string) => ({ headers: { 'content-type': MANIFEST }, body, name })
  const image = artifact({})
  expect((await one.ask('PUT', '/v2/app/manifests/1', put('1', image))).status).toBe(201)
  expect((await two.ask('GET', '/v2/app/tags/list')).json().tags).toEqual(['1'])
  expect((await two.ask('GET', '/v2/app/manifests/1')).body.toString()).toBe(image)
  expect((await two.ask('PUT', '/v2/app/manifests/1', put('1', artifact({ annotations: { a: 'b' } })))).status).toBe(
    201,
  )
  expect((await one.ask('HEAD', '/v2/app/manifests/1')).headers['docker-content-digest']).not.toBe(sha256(image))
  const subject = { mediaType: MANIFEST, digest: sha256(image), size: Buffer.byteLength(image) }
  const referrer = artifact({ subject })
  const pushed = await one.ask('PUT', `/v2/app/manifests/${sha256(referrer)}`, put('', referrer))
  expect(pushed).toMatchObject({ status: 201, headers: { 'oci-subject': sha256(image) } })
  servers.objects.calls.length = 0
  const listed = (await two.ask('GET', `/v2/app/referrers/${sha256(image)}`)).json() as unknown
  expect(listed).toMatchObject({ manifests: [{ digest: sha256(referrer) }] })
  // Referrers are found among the documents; no layer is read.
  expect(servers.objects.calls.filter(call => call.endsWith(digest.slice('sha256:'.length)))).toEqual([])
})

test('a blob is given by the bucket, and nothing of it passes the server', async () => {
  await using servers = await twoServers({ redirects: true })
  const { one, two, objects } = servers
  await one.ask('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: bytes })
  const answer = await two.ask('GET', `/v2/app/blobs/${digest}`)
  expect(answer).toMatchObject({ status: 307, body: Buffer.alloc(0) })
  expect(answer.headers.location).toBe(`https://memory/blobs/${digest.replace(':', '/')}`)
  expect(objects.calls.filter(call => call.startsWith('get blobs/'))).toEqual([])
})

/** Pulls a blob through a server that redirects to an engine, and a range of it. */
async function pullByRedirect(place: BucketOptions): Promise<void> {
  await using server = await runningServer({ redirects: true }, await openObjectStore(place))
  expect((await server.store.put(bytes)).digest).toBe(digest)
  await using registry = registryClientFor()
  const repository = { registry: new URL(server.url).host, repository: 'app' }
  const descriptor = { mediaType: 'application/octet-stream', digest: digest as Digest, size: bytes.byteLength }
  expect((await readAll(registry.fetchBlob(repository, descriptor))).equals(bytes)).toBe(true)
  const { headers } = await server.ask('GET', `/v2/app/blobs/${digest}`)
  const range = await fetchUntil(headers.location!, { headers: { range: 'bytes=1000-1999' } })
  expect(range.status).toBe(206)
  expect(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(1000, 2000))).toBe(true)
  const unsigned = await fetchUntil(headers.location!.replace(/\?.*/, ''))
  expect(unsigned.status).toBe(403)
  await unsigned.arrayBuffer()
}

test('a client follows the presigned address of a server that speaks S3', async () => {
  await using engine = await startMemoryPlace()
  await pullByRedirect(engine.place)
})

const ceph = test.skipIf(!needsCephRgw())
ceph('a client follows the presigned address of Ceph RGW', { timeout: 600_000 }, async () => {
  await using engine = await startCephPlace('serve')
  await pullByRedirect(engine.place)
})
