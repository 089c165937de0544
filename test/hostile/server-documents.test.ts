import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { sha256 } from '../helpers/push-image.ts'
import { type RunningServer, runningServer } from '../helpers/running-server.ts'
import { sampleDescriptor, sampleDigest } from '../helpers/sample-documents.ts'

/* `reliability.md` 2.6 on the server: documents that a client pushes to harm clients that pull. */

let registry: RunningServer
let blob: Record<string, unknown>
beforeAll(async () => {
  registry = await runningServer()
  await registry.store.put(Buffer.alloc(0))
  blob = sampleDescriptor()
})
afterAll(() => registry[Symbol.asyncDispose]())

const manifest = (members: object = {}) => ({
  ...{ schemaVersion: 2, mediaType: MediaType.OciManifest },
  ...{ config: { ...blob, mediaType: MediaType.OciConfig }, layers: [blob], ...members },
})
const index = (members: object = {}) => ({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [], ...members })
const text = (value: unknown) => JSON.stringify(value)

const hostile: [name: string, body: () => string | Buffer, type?: string][] = [
  ['ambig-config-and-manifests', () => text({ ...index(), config: blob })],
  ['ambig-layers-and-manifests', () => text({ ...manifest(), manifests: [] })],
  ['ambig-fslayers-in-manifest', () => text(manifest({ fsLayers: [] }))],
  ['ct-mismatch-manifest-as-index', () => text(manifest()), MediaType.OciIndex],
  ['ct-mismatch-index-as-manifest', () => text(index()), MediaType.OciManifest],
  ['ct-html', () => text(manifest()), 'text/html'],
  ['schema1', () => text({ schemaVersion: 1, fsLayers: [] }), 'application/vnd.docker.distribution.manifest.v1+json'],
  ['sv-missing', () => text(manifest({ schemaVersion: undefined }))],
  ['sv-string', () => text(manifest({ schemaVersion: '2' }))],
  ['dgst-traversal', () => text(manifest({ layers: [{ ...blob, digest: 'sha256:../../../etc/passwd' }] }))],
  ['dgst-upper', () => text(manifest({ layers: [{ ...blob, digest: sampleDigest().toUpperCase() }] }))],
  ['size-negative', () => text(manifest({ layers: [{ ...blob, size: -1 }] }))],
  ['size-null', () => text(manifest({ layers: [{ ...blob, size: null }] }))],
  ['size-over-2-53', () => text(manifest()).replace('"size":0', '"size":9007199254740993')],
  ['layer-size-more', () => text(manifest({ layers: [{ ...blob, size: 1 }] }))],
  ['config-size-more', () => text(manifest({ config: { ...blob, size: 1 } }))],
  ['json-dup', () => text(manifest()).replace('{', '{"layers":[],')],
  ['json-case', () => text({ ...manifest({ layers: undefined }), Layers: [] })],
  ['json-bom', () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text(manifest()))])],
  ['json-utf8', () => Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])],
  ['json-two-documents', () => text(manifest()) + text(manifest())],
  ['json-deep', () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ['json-array', () => '[]'],
  ['json-empty', () => ''],
  ['json-proto-top', () => `{"__proto__":${text(manifest())}}`],
  ['layers-1001', () => text(manifest({ layers: Array(1001).fill(blob) }))],
  ['config-missing', () => text(manifest({ config: undefined }))],
  ['data-bad-base64', () => text(manifest({ layers: [{ ...blob, data: '%' }] }))],
  ['data-wrong-size', () => text(manifest({ layers: [{ ...blob, data: 'AAAA' }] }))],
]

test.each(hostile)('%s is refused, and nothing of it is kept', async (_, build, type) => {
  const body = build()
  const headers = type === undefined ? {} : { 'content-type': type }
  const answer = await registry.ask('PUT', '/v2/app/manifests/1', { body, headers })
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
  if (body.length > 0) expect(await registry.store.stat(sha256(body) as Digest)).toBeUndefined()
  expect((await registry.ask('GET', '/v2/app/tags/list')).status).toBe(404)
})

test.each([
  ['ok-proto-annotations', () => text(manifest()).replace('{', '{"annotations":{"__proto__":"x"},')],
  ['ok-unknown-layer', () => text(manifest({ layers: [{ ...blob, mediaType: 'application/vnd.example.unknown' }] }))],
  ['ok-unknown-member', () => text(manifest({ 'org.example': { deep: [1] } }))],
  ['foreign-urls', () => text(manifest({ layers: [foreign()] }))],
  ['idx-empty', () => text(index())],
  ['layers-null', () => text(manifest({ layers: null }))],
  ['subject-unverifiable', () => text(manifest({ subject: { ...blob, digest: 'sha999:abc' } }))],
])('%s is taken, and comes back byte for byte', async (name, build) => {
  const body = build()
  const path = `/v2/taken/manifests/${name}`
  expect((await registry.ask('PUT', path, { body })).status).toBe(201)
  expect((await registry.ask('GET', path)).body.toString()).toBe(body)
})

function foreign(): object {
  const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  return { mediaType, digest: sampleDigest('elsewhere'), size: 7, urls: ['http://169.254.169.254/'] }
}

test('idx-depth-5: indexes nested deeper than four get no tag', async () => {
  let body = text(index())
  let type: string = MediaType.OciIndex
  for (let depth = 0; depth < 7; depth++) {
    const put = await registry.ask('PUT', `/v2/deep/manifests/${sha256(body)}`, { body })
    expect(put.status).toBe(201)
    body = text(index({ manifests: [{ mediaType: type, digest: sha256(body), size: body.length }] }))
    type = MediaType.OciIndex
  }
  const answer = await registry.ask('PUT', '/v2/deep/manifests/tag', { body })
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
})

test('idx-type-lie: an index whose entry is of another type than it says gets no tag', async () => {
  const inner = text(manifest())
  expect((await registry.ask('PUT', `/v2/lie/manifests/${sha256(inner)}`, { body: inner })).status).toBe(201)
  const entry = { mediaType: MediaType.OciIndex, digest: sha256(inner), size: inner.length }
  const answer = await registry.ask('PUT', '/v2/lie/manifests/tag', { body: text(index({ manifests: [entry] })) })
  expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
})

test('dgst-unverifiable: a blob that no push could have proven is one that the registry does not hold', async () => {
  const digest = 'sha999:abc'
  const answer = await registry.ask('PUT', '/v2/odd/manifests/1', {
    body: text(manifest({ layers: [{ ...blob, digest }] })),
  })
  expect(answer.status).toBe(400)
  expect(answer.json().errors).toMatchObject([{ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest } }])
})

async function configOf(rootfs: object): Promise<object> {
  const info = await registry.store.put(Buffer.from(text({ os: 'linux', architecture: 'amd64', rootfs })))
  return { mediaType: MediaType.OciConfig, ...info }
}

test.each(['tag', 'digest'])(
  'diffid-count: an image whose config lists other layers than it has is refused, put by %s',
  async by => {
    const config = await configOf({ type: 'layers', diff_ids: [sampleDigest('a'), sampleDigest('b')] })
    for (const layers of [[], [blob]]) {
      const body = text(manifest({ config, layers }))
      const answer = await registry.ask('PUT', `/v2/count/manifests/${by === 'tag' ? '1' : sha256(body)}`, { body })
      expect([answer.status, answer.json().errors[0]!.code]).toEqual([400, 'MANIFEST_INVALID'])
      expect(answer.json().errors[0]!.message).toContain('lists 2 layers')
    }
    const body = text(manifest({ config, layers: [blob, blob] }))
    expect((await registry.ask('PUT', '/v2/count/manifests/1', { body })).status).toBe(201)
  },
)

test('diffid-none: an image whose config lists no layers at all is taken, as the conformance suite pushes it', async () => {
  const config = await configOf({ type: 'layers', diff_ids: [] })
  const body = text(manifest({ config, layers: [blob] }))
  expect((await registry.ask('PUT', '/v2/none/manifests/1', { body })).status).toBe(201)
})

test('an artifact that borrows the config type of images is taken, whatever its config lists', async () => {
  const config = await configOf({ type: 'layers', diff_ids: [] })
  const layers = Array(3).fill({ ...blob, mediaType: 'application/vnd.in-toto+json' })
  const body = text(manifest({ config, layers }))
  expect((await registry.ask('PUT', '/v2/artifact/manifests/1', { body })).status).toBe(201)
})
