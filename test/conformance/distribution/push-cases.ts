import { expect } from 'vitest'
import type { HttpAnswer } from '../../helpers/http-request.ts'
import {
  type Case,
  digestOf,
  documentOf,
  EMPTY_JSON,
  expectErrors,
  OCI_CONFIG,
  OCI_MANIFEST,
  someBytes,
  type Target,
  withQuery,
} from './target.ts'

const octets = { 'content-type': 'application/octet-stream' }

async function isThere(t: Target, bytes: Buffer, digest = digestOf(bytes), repository = t.repository): Promise<void> {
  const path = `/v2/${repository}/blobs/${digest}`
  expect(await t.ask('HEAD', path)).toMatchObject({ status: 200, headers: { 'content-length': `${bytes.length}` } })
  expect((await t.ask('GET', path)).body.equals(bytes)).toBe(true)
}

const patch = (t: Target, at: string, bytes: Buffer, start: number): Promise<HttpAnswer> =>
  t.ask('PATCH', at, {
    headers: { ...octets, 'content-range': `${start}-${start + bytes.length - 1}` },
    body: bytes,
  })

async function created(t: Target, answer: HttpAnswer): Promise<void> {
  expect(answer.status).toBe(201)
  t.locationOf(answer)
}

/**
 * Sends the chunks of a blob, each to the Location of the previous answer. Resolves to the path that ends the upload.
 */
async function inChunks(t: Target, chunks: readonly Buffer[]): Promise<string> {
  let [at, start] = [await t.startUpload(), 0]
  for (const piece of chunks) {
    const answer = await patch(t, at, piece, start)
    start += piece.length
    expect(answer).toMatchObject({ status: 202, headers: { range: `0-${start - 1}` } })
    at = t.locationOf(answer)
  }
  return at
}

/** Ends an upload with a wrong digest; expects a refusal and no stored blob. */
async function refused(t: Target, answer: HttpAnswer, digest: string): Promise<void> {
  expect(answer.status).toBe(400)
  expectErrors(answer, ['DIGEST_INVALID', 'SIZE_INVALID'])
  expect((await t.ask('HEAD', `blobs/${digest}`)).status).toBe(404)
}

/** Three chunks, 895 bytes together. */
const chunks = () => [someBytes(300), someBytes(300), someBytes(295)]

export const pushCases: readonly Case[] = [
  [
    'Blob Upload Streamed: PATCH request with blob in body should yield 202 response, PUT 201',
    async t => {
      const bytes = someBytes()
      const answer = await t.ask('PATCH', await t.startUpload(), { headers: octets, body: [bytes] })
      expect(answer.status).toBe(202)
      await created(t, await t.ask('PUT', withQuery(t.locationOf(answer), { digest: digestOf(bytes) })))
      await isThere(t, bytes)
    },
  ],
  [
    'Blob Upload Monolithic: POST request with digest and blob should yield a 201 or 202',
    async t => {
      const bytes = someBytes()
      const digest = digestOf(bytes)
      const answer = await t.ask('POST', `blobs/uploads/?digest=${digest}`, { headers: octets, body: bytes })
      expect([201, 202]).toContain(answer.status)
      t.locationOf(answer)
      const { status } = await t.ask('GET', `blobs/${digest}`)
      expect(status).toBe(answer.status === 201 ? 200 : 404)
    },
  ],
  [
    'Blob Upload Monolithic: POST with the blob stores it (201)',
    async t => {
      const bytes = someBytes()
      const digest = digestOf(bytes)
      const answer = await t.ask('POST', `blobs/uploads/?digest=${digest}`, { headers: octets, body: bytes })
      await created(t, answer)
      expect(answer.headers['docker-content-digest']).toBe(digest)
      await isThere(t, bytes)
    },
  ],
  [
    'Blob Upload Monolithic: PUT upload of a blob should yield a 201 Response',
    async t => {
      const bytes = someBytes()
      const { digest } = await t.pushBlob(bytes)
      await isThere(t, bytes, digest)
    },
  ],
  [
    'every upload has its own address with a unique id',
    async t => {
      const [one, two] = [await t.startUpload(), await t.startUpload()]
      expect(one).toMatch(/[0-9a-f-]{32}/i)
      expect(one).not.toBe(two)
    },
  ],
  [
    'the Location of a pushed blob, a mounted blob and a manifest can be pulled',
    async t => {
      const bytes = someBytes()
      const digest = digestOf(bytes)
      const at = withQuery(await t.startUpload(), { digest })
      const put = await t.ask('PUT', at, { headers: octets, body: bytes })
      const mounted = await t.ask('POST', `/v2/${t.other}/blobs/uploads/?mount=${digest}&from=${t.repository}`)
      const image = await t.image()
      const manifest = await t.putManifest('tag', image)
      for (const [answer, content] of [
        [put, bytes],
        [mounted, bytes],
        [manifest, image.bytes],
      ] as const) {
        expect(answer.status).toBe(201)
        const pulled = await t.ask('GET', t.locationOf(answer))
        expect([pulled.status, pulled.body.equals(content)]).toEqual([200, true])
      }
    },
  ],
  [
    'an upload cannot end without a digest or with a malformed one',
    async t => {
      const bytes = someBytes()
      for (const digest of ['', 'sha256:abc', 'sha256:Z']) {
        const at = await t.startUpload()
        const answer = await t.ask('PUT', digest === '' ? at : withQuery(at, { digest }), {
          headers: octets,
          body: bytes,
        })
        expect([digest, answer.status]).toEqual([digest, 400])
      }
    },
  ],
  [
    'a last chunk out of order is refused with 416, and the upload can be resumed',
    async t => {
      const [first, second, last] = chunks() as [Buffer, Buffer, Buffer]
      const bytes = Buffer.concat([first, second, last])
      const at = await inChunks(t, [first])
      const early = { ...octets, 'content-range': `600-${bytes.length - 1}` }
      const refused = await t.ask('PUT', withQuery(at, { digest: digestOf(bytes) }), { headers: early, body: last })
      expect(refused.status).toBe(416)
      const next = await patch(t, t.locationOf(await t.ask('GET', at)), second, 300)
      const end = withQuery(t.locationOf(next), { digest: digestOf(bytes) })
      await created(t, await t.ask('PUT', end, { headers: early, body: last }))
      await isThere(t, bytes)
    },
  ],
  [
    'Blob Upload Chunked: Out-of-order blob upload should return 416',
    async t => expect((await patch(t, await t.startUpload(), someBytes(10), 10)).status).toBe(416),
  ],
  [
    'Blob Upload Chunked: PATCH of each chunk, then PUT, should return 202 and 201',
    async t => {
      const parts = chunks()
      const bytes = Buffer.concat(parts)
      const at = withQuery(await inChunks(t, parts), { digest: digestOf(bytes) })
      await created(t, await t.ask('PUT', at, { headers: { 'content-length': '0' } }))
      await isThere(t, bytes)
    },
  ],
  [
    'Blob Upload Chunked: PUT request with final chunk should return 201',
    async t => {
      const [first, second, last] = chunks() as [Buffer, Buffer, Buffer]
      const bytes = Buffer.concat([first, second, last])
      const at = withQuery(await inChunks(t, [first, second]), { digest: digestOf(bytes) })
      const headers = { ...octets, 'content-range': `600-${bytes.length - 1}` }
      await created(t, await t.ask('PUT', at, { headers, body: last }))
      await isThere(t, bytes)
    },
  ],
  [
    'Blob Upload Chunked: Retry previous blob chunk should return 416',
    async t => {
      const [first, second] = chunks() as [Buffer, Buffer]
      const at = await inChunks(t, [first])
      expect((await patch(t, at, first, 0)).status).toBe(416)
      expect((await patch(t, at, second, 300)).status).toBe(202)
    },
  ],
  [
    'Blob Upload Chunked: Get on stale blob upload should return 204 with a range and location',
    async t => {
      const start = await t.startUpload()
      const [first, second] = chunks() as [Buffer, Buffer]
      expect((await patch(t, start, first, 0)).status).toBe(202)
      const answer = await t.ask('GET', start)
      expect(answer).toMatchObject({ status: 204, headers: { range: '0-299' } })
      expect((await patch(t, t.locationOf(answer), second, 300)).status).toBe(202)
    },
  ],
  [
    'DELETE cancels an upload with 204',
    async t => {
      const at = await t.startUpload()
      expect((await t.ask('DELETE', at)).status).toBe(204)
      expect((await t.ask('GET', at)).status).toBe(404)
    },
  ],
  [
    'Cross-mounting of a nonexistent blob without the from argument should yield session id',
    async t => {
      const at = await t.startUpload(`?mount=${digestOf(someBytes())}`, t.other)
      expect(at).toContain(`/v2/${t.other}/blobs/uploads/`)
    },
  ],
  [
    'Cross-mounting of nonexistent blob should yield session id',
    async t => void (await t.startUpload(`?mount=${digestOf(someBytes())}&from=${t.repository}`, t.other)),
  ],
  [
    "POST request to mount another repository's blob should return 201 or 202",
    async t => {
      const bytes = someBytes()
      const { digest } = await t.pushBlob(bytes)
      const answer = await t.ask('POST', `/v2/${t.other}/blobs/uploads/?mount=${digest}&from=${t.repository}`)
      expect([201, 202]).toContain(answer.status)
      if (answer.status === 201) {
        expect(t.locationOf(answer)).toBe(`/v2/${t.other}/blobs/${digest}`)
        await isThere(t, bytes, digest, t.other)
      }
    },
  ],
  [
    'Cross-mounting without from, and automatic content discovery enabled should return a 201',
    async t => {
      const bytes = someBytes()
      const { digest } = await t.pushBlob(bytes)
      await created(t, await t.ask('POST', `/v2/${t.other}/blobs/uploads/?mount=${digest}`))
      await isThere(t, bytes, digest, t.other)
    },
  ],
  [
    'the empty blob can be pushed and pulled',
    async t => isThere(t, Buffer.alloc(0), (await t.pushBlob(Buffer.alloc(0))).digest),
  ],
  [
    'the empty object of artifacts can be pushed and pulled',
    async t => isThere(t, EMPTY_JSON, (await t.pushBlob(EMPTY_JSON)).digest),
  ],
  [
    'a blob is pushed and pulled by a sha512 digest',
    async t => {
      const bytes = someBytes()
      const digest = digestOf(bytes, 'sha512')
      const at = withQuery(await t.startUpload('?digest-algorithm=sha512'), { digest })
      await created(t, await t.ask('PUT', at, { headers: octets, body: bytes }))
      await isThere(t, bytes, digest)
    },
  ],
  [
    'a sha512 digest ends an upload started without it: whole, in chunks, as a stream',
    async t => {
      const parts = chunks()
      const bytes = Buffer.concat(parts)
      const digest = digestOf(bytes, 'sha512')
      const stream = await t.ask('PATCH', await t.startUpload(), { headers: octets, body: [bytes] })
      for (const [at, body] of [
        [await t.startUpload(), bytes],
        [await inChunks(t, parts), undefined],
        [await inChunks(t, parts.slice(0, 2)), parts[2]!],
        [t.locationOf(stream), undefined],
      ] as const) {
        const sent = body ? { headers: octets, body } : { headers: { 'content-length': '0' } }
        await created(t, await t.ask('PUT', withQuery(at, { digest }), sent))
        await isThere(t, bytes, digest)
        expect((await t.ask('DELETE', `blobs/${digest}`)).status).toBe(202)
      }
    },
  ],
  [
    'a wrong digest is refused after a POST with the whole blob',
    async t => {
      const wrong = digestOf(someBytes())
      const answer = await t.ask('POST', `blobs/uploads/?digest=${wrong}`, { headers: octets, body: someBytes() })
      // SPEC: a registry without single-request uploads starts an upload instead.
      if (answer.status === 202) return
      await refused(t, answer, wrong)
    },
  ],
  [
    'a wrong digest is refused after a PUT with the whole blob',
    async t => {
      const wrong = digestOf(someBytes())
      const at = withQuery(await t.startUpload(), { digest: wrong })
      await refused(t, await t.ask('PUT', at, { headers: octets, body: someBytes() }), wrong)
    },
  ],
  [
    'a wrong digest is refused after chunks',
    async t => {
      const wrong = digestOf(someBytes())
      const at = withQuery(await inChunks(t, chunks()), { digest: wrong })
      await refused(t, await t.ask('PUT', at, { headers: { 'content-length': '0' } }), wrong)
    },
  ],
  [
    'a wrong digest is refused after a stream',
    async t => {
      const wrong = digestOf(someBytes())
      const answer = await t.ask('PATCH', await t.startUpload(), { headers: octets, body: [someBytes()] })
      await refused(t, await t.ask('PUT', withQuery(t.locationOf(answer), { digest: wrong })), wrong)
    },
  ],
  [
    'requests to a missing upload are answered with 404',
    async t => {
      const at = await t.startUpload()
      await t.ask('DELETE', at)
      for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
        const path = method === 'PUT' ? withQuery(at, { digest: digestOf(EMPTY_JSON) }) : at
        const body = method === 'PATCH' || method === 'PUT' ? { headers: octets, body: EMPTY_JSON } : {}
        const answer = await t.ask(method, path, body)
        expect([method, answer.status]).toEqual([method, 404])
        expectErrors(answer, ['BLOB_UPLOAD_UNKNOWN'])
      }
    },
  ],
  [
    'Manifest Upload: PUT should accept a manifest upload',
    async t => {
      const image = await t.image()
      for (let i = 0; i < 4; i++) {
        const answer = await t.pushManifest(`test${i}`, image)
        expect(answer.headers['docker-content-digest']).toBe(image.described.digest)
      }
      expect((await t.ask('GET', `manifests/${image.described.digest}`)).status).toBe(200)
    },
  ],
  [
    'a manifest is stored byte for byte, also with insignificant white space',
    async t => {
      const image = await t.image()
      const bytes = Buffer.from(`\n${JSON.stringify(JSON.parse(image.bytes.toString()), null, 3)} \r\n`)
      const document = { bytes, described: { ...image.described, digest: digestOf(bytes), size: bytes.length } }
      await t.pushManifest('spaced', document)
      const answer = await t.ask('GET', 'manifests/spaced')
      expect([answer.headers['docker-content-digest'], answer.body.equals(bytes)]).toEqual([digestOf(bytes), true])
    },
  ],
  [
    'Registry should accept a manifest upload with no layers',
    async t => {
      const config = await t.pushBlob(EMPTY_JSON, OCI_CONFIG)
      await t.pushManifest('empty-layer', documentOf(OCI_MANIFEST, { config, layers: [] }))
    },
  ],
  [
    'a manifest with missing blobs is refused with MANIFEST_BLOB_UNKNOWN',
    async t => {
      const missing = { mediaType: OCI_CONFIG, digest: digestOf(someBytes()), size: 512 }
      const answer = await t.putManifest('x', documentOf(OCI_MANIFEST, { config: missing, layers: [] }))
      expect([400, 404]).toContain(answer.status)
      expectErrors(answer, ['MANIFEST_BLOB_UNKNOWN'])
    },
  ],
  [
    'a manifest put under a wrong digest is refused with 400',
    async t => {
      const wrong = digestOf(someBytes())
      const answer = await t.putManifest(wrong, await t.image())
      expect(answer.status).toBe(400)
      expectErrors(answer, ['DIGEST_INVALID', 'MANIFEST_INVALID'])
      expect((await t.ask('GET', `manifests/${wrong}`)).status).toBe(404)
    },
  ],
  [
    'PUT of a manifest by a malformed digest is refused',
    async t => expect([400, 404]).toContain((await t.putManifest('sha256:baddigeststring', await t.image())).status),
  ],
  [
    'a manifest over 4 MiB is refused with 413',
    async t => {
      const annotations = { long: 'A'.repeat(4 * 1024 * 1024) }
      expect((await t.putManifest('large', await t.image({ annotations }))).status).toBe(413)
    },
  ],
  [
    'one request sets several tags',
    async t => {
      const image = await t.image()
      const answer = await t.putManifest(image.described.digest, image, '?tag=one&tag=two')
      expect(answer.status).toBe(201)
      expect(`${answer.headers['oci-tag']}`.split(',').map(tag => tag.trim())).toEqual(['one', 'two'])
      for (const tag of ['one', 'two']) expect((await t.ask('HEAD', `manifests/${tag}`)).status).toBe(200)
    },
  ],
]
