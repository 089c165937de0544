import { expect } from 'vitest'
import {
  type Case,
  type Document,
  documentOf,
  EMPTY_JSON,
  expectErrors,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_MANIFEST,
  someBytes,
  type Target,
} from './target.ts'

const nowhere = `sha256:${'0123456789abcdef'.repeat(4)}`

/** Pushes a document by digest and by tag, and expects to pull the same bytes. */
async function roundTrips(t: Target, document: Document): Promise<void> {
  await t.pushManifest(document.described.digest, document)
  await t.pushManifest('tag', document)
  for (const reference of [document.described.digest, 'tag']) {
    for (const method of ['GET', 'HEAD']) {
      const headers = { accept: document.described.mediaType }
      const answer = await t.ask(method, `manifests/${reference}`, { headers })
      const { status, headers: said, body } = answer
      expect({ status, ...said }).toMatchObject({
        status: 200,
        'content-type': document.described.mediaType,
        'content-length': `${document.bytes.length}`,
        'docker-content-digest': document.described.digest,
      })
      // Not `toEqual`: it takes minutes to print the difference of two large buffers.
      expect(body.equals(method === 'GET' ? document.bytes : Buffer.alloc(0))).toBe(true)
    }
  }
}

const range =
  (value: string, start: number, end: number): Case[1] =>
  async t => {
    const bytes = someBytes(2048)
    const { digest } = await t.pushBlob(bytes)
    const answer = await t.ask('GET', `blobs/${digest}`, { headers: { range: value } })
    if (end === 0) {
      expect(answer.status).toBe(416)
      return
    }
    expect(answer).toMatchObject({
      status: 206,
      headers: { 'content-range': `bytes ${start}-${end - 1}/2048`, 'content-length': `${end - start}` },
    })
    expect(answer.body.equals(bytes.subarray(start, end))).toBe(true)
  }

const platform = (architecture: string) => ({ os: 'linux', architecture })

async function indexOf(t: Target, ...architectures: string[]): Promise<Document> {
  const manifests = []
  for (const architecture of architectures) {
    const image = await t.image()
    await t.pushManifest(image.described.digest, image)
    manifests.push({ ...image.described, platform: platform(architecture) })
  }
  return documentOf(OCI_INDEX, { manifests })
}

export const pullCases: readonly Case[] = [
  ['GET /v2/ answers 200 for a registry', async t => expect((await t.ask('GET', '/v2/')).status).toBe(200)],
  [
    'a repository may have dots, dashes, and one or two underscores in its name',
    async t => {
      const image = await t.image()
      for (const name of ['a.b', 'a_b', 'a__b', 'a-b', 'a--b', '0/1/2', 'a.b-c__d/e']) {
        const repository = `${name}/${t.repository}`
        const { digest, size } = await t.pushBlob(image.bytes, OCI_MANIFEST, repository)
        const config = { mediaType: OCI_CONFIG, digest, size }
        const { bytes } = documentOf(OCI_MANIFEST, { config, layers: [] })
        const headers = { 'content-type': OCI_MANIFEST }
        expect((await t.ask('PUT', `/v2/${repository}/manifests/1`, { headers, body: bytes })).status).toBe(201)
        expect((await t.ask('GET', `/v2/${repository}/manifests/1`)).body.equals(bytes)).toBe(true)
        const listed = (await t.ask('GET', `/v2/${repository}/tags/list`)).json()
        expect(listed).toEqual({ name: repository, tags: ['1'] })
      }
    },
  ],
  [
    'an invalid repository name is refused',
    async t => {
      for (const name of ['A', 'a..b', 'a___b', '-a', 'a-', 'a/_b']) {
        const answer = await t.ask('GET', `/v2/${name}/tags/list`)
        expect([name, [400, 404].includes(answer.status)]).toEqual([name, true])
      }
    },
  ],
  [
    'manifests, blobs and tags of a missing repository are answered with 404',
    async t => {
      const paths = ['manifests/x', `manifests/${nowhere}`, `blobs/${nowhere}`, 'tags/list']
      for (const path of paths) expect([path, (await t.ask('GET', path)).status]).toEqual([path, 404])
    },
  ],
  [
    'HEAD request to nonexistent blob should result in 404 response',
    async t => expect((await t.ask('HEAD', `blobs/${nowhere}`)).status).toBe(404),
  ],
  [
    'HEAD request to existing blob should yield 200',
    async t => {
      const { digest, size } = await t.pushBlob(someBytes())
      expect(await t.ask('HEAD', `blobs/${digest}`)).toMatchObject({
        status: 200,
        headers: { 'docker-content-digest': digest, 'content-length': `${size}` },
      })
    },
  ],
  [
    'GET nonexistent blob should result in 404 response',
    async t => {
      const answer = await t.ask('GET', `blobs/${nowhere}`)
      expect(answer.status).toBe(404)
      expectErrors(answer, ['BLOB_UNKNOWN', 'NAME_UNKNOWN'])
    },
  ],
  [
    'GET request to existing blob URL should yield 200',
    async t => {
      const bytes = someBytes()
      const { digest } = await t.pushBlob(bytes)
      expect((await t.ask('GET', `blobs/${digest}`)).body.equals(bytes)).toBe(true)
    },
  ],
  [
    'HEAD request to nonexistent manifest should return 404',
    async t => expect((await t.ask('HEAD', 'manifests/nonexistent')).status).toBe(404),
  ],
  [
    'GET nonexistent manifest should return 404',
    async t => {
      for (const reference of ['nonexistent', nowhere]) {
        const answer = await t.ask('GET', `manifests/${reference}`)
        expect(answer.status).toBe(404)
        expectErrors(answer, ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])
      }
    },
  ],
  [
    'GET and HEAD of a manifest by digest and tag give its bytes, type, length and digest',
    async t => roundTrips(t, await t.image()),
  ],
  [
    'a manifest has the media type of its PUT, without parameters',
    async t => {
      const image = await t.image()
      await t.pushManifest('plain', image)
      const headers = { 'content-type': `${OCI_MANIFEST}; charset=utf-8` }
      const answer = await t.ask('PUT', 'manifests/parameters', { headers, body: image.bytes })
      expect(answer.status).toBe(201)
      for (const tag of ['plain', 'parameters']) {
        expect((await t.ask('GET', `manifests/${tag}`)).headers['content-type']).toBe(OCI_MANIFEST)
      }
    },
  ],
  [
    'a tag has up to 128 characters',
    async t => {
      const image = await t.image()
      const [longest, tooLong] = ['_'.padEnd(128, 'Aa0.-'), '_'.padEnd(129, 'Aa0.-')]
      await t.pushManifest(longest, image)
      expect((await t.ask('HEAD', `manifests/${longest}`)).status).toBe(200)
      expect([400, 404]).toContain((await t.putManifest(tooLong, image)).status)
      expect([400, 404]).toContain((await t.ask('GET', `manifests/${tooLong}`)).status)
    },
  ],
  [
    '400 response body should contain OCI-conforming JSON message',
    async t => {
      const answer = await t.ask('PUT', 'manifests/sha256:totallywrong', {
        headers: { 'content-type': OCI_MANIFEST },
        body: Buffer.from('blablabla'),
      })
      expect([400, 404]).toContain(answer.status)
      if (answer.status === 400) expectErrors(answer)
    },
  ],
  [
    'GET of a manifest by a malformed digest is refused',
    async t => expect([400, 404]).toContain((await t.ask('GET', 'manifests/sha256:baddigeststring')).status),
  ],
  ['a range within a blob is answered with 206', range('bytes=500-1499', 500, 1500)],
  ['a range without an end reaches to the end of the blob', range('bytes=500-', 500, 2048)],
  ['a range without a start gives the last bytes of the blob', range('bytes=-500', 1548, 2048)],
  ['a range that reaches past the end is cut there', range('bytes=2000-5000', 2000, 2048)],
  ['a range that ends before it starts is refused with 416', range('bytes=500-0', 0, 0)],
  ['a range that starts past the end is refused with 416', range('bytes=5000-10000', 0, 0)],
  [
    'a manifest of nearly 4 MiB can be pushed and pulled',
    async t => {
      const annotations = Object.fromEntries(Array.from({ length: 390 }, (_, i) => [`large-${i}`, 'A'.repeat(10_000)]))
      await roundTrips(t, await t.image({ annotations }))
    },
  ],
  ['an index of two platforms can be pushed and pulled', async t => roundTrips(t, await indexOf(t, 'amd64', 'arm64'))],
  [
    'an index of an index can be pushed and pulled',
    async t => {
      const inner = await indexOf(t, 'amd64')
      await t.pushManifest(inner.described.digest, inner)
      await roundTrips(t, documentOf(OCI_INDEX, { manifests: [inner.described] }))
    },
  ],
  ['an empty index can be pushed and pulled', async t => roundTrips(t, documentOf(OCI_INDEX, { manifests: [] }))],
  [
    'an artifact can be pushed and pulled',
    async t => {
      const config = await t.pushBlob(EMPTY_JSON, OCI_EMPTY)
      const layers = [await t.pushBlob(someBytes(), 'application/vnd.example.thing')]
      const artifactType = 'application/vnd.example.artifact'
      await roundTrips(t, documentOf(OCI_MANIFEST, { artifactType, config, layers }))
    },
  ],
  [
    'an artifact whose only layer is the empty object can be pushed and pulled',
    async t => {
      const empty = await t.pushBlob(EMPTY_JSON, OCI_EMPTY)
      const artifactType = 'application/vnd.example.artifact'
      await roundTrips(t, documentOf(OCI_MANIFEST, { artifactType, config: empty, layers: [empty] }))
    },
  ],
  [
    'an index with an artifact type can be pushed and pulled',
    async t => {
      const image = await t.image()
      await t.pushManifest(image.described.digest, image)
      const artifactType = 'application/vnd.example.artifact'
      await roundTrips(t, documentOf(OCI_INDEX, { artifactType, manifests: [image.described] }))
    },
  ],
  [
    'a descriptor with embedded data can be pushed and pulled',
    async t => {
      const config = { ...(await t.pushBlob(EMPTY_JSON, OCI_CONFIG)), data: EMPTY_JSON.toString('base64') }
      await roundTrips(t, documentOf(OCI_MANIFEST, { config, layers: [] }))
    },
  ],
  [
    'a manifest with missing foreign layers can be pushed and pulled',
    async t => {
      const foreign = { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', size: 123_456 }
      const layers = [
        { ...foreign, digest: nowhere, urls: ['https://store.example.com/blobs/x'] },
        await t.pushBlob(someBytes()),
      ]
      await roundTrips(t, await t.image({ layers }))
    },
  ],
  [
    'unknown members of a manifest are kept',
    async t => roundTrips(t, await t.image({ 'org.example.unknown': { x: [1, null] } })),
  ],
  [
    'a manifest is pushed and pulled by a sha512 digest',
    async t => {
      const { createHash } = await import('node:crypto')
      const image = await t.image()
      const digest = `sha512:${createHash('sha512').update(image.bytes).digest('hex')}`
      expect((await t.putManifest(digest, image)).status).toBe(201)
      expect((await t.ask('GET', `manifests/${digest}`)).body.equals(image.bytes)).toBe(true)
    },
  ],
]
