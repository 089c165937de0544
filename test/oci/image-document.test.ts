import { expect, test } from 'vitest'
import { MediaType, parseImageDocument, successorsOf } from '../../lib/oci/index.ts'
import { jsonBytes, sampleDescriptor, sampleDigest, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('the mediaType of a document decides its kind', () => {
  expect(parseImageDocument(jsonBytes(sampleManifest()))).toMatchObject({
    kind: 'manifest',
    mediaType: MediaType.OciManifest,
  })
  expect(parseImageDocument(jsonBytes(sampleIndex()))).toMatchObject({ kind: 'index', mediaType: MediaType.OciIndex })
})

test.each([MediaType.DockerManifest, MediaType.OciManifest])('%s is a manifest', mediaType => {
  expect(parseImageDocument(jsonBytes(sampleManifest({ mediaType })), mediaType)).toMatchObject({
    kind: 'manifest',
    mediaType,
  })
})

test.each([MediaType.DockerManifestList, MediaType.OciIndex])('%s is an index', mediaType => {
  expect(parseImageDocument(jsonBytes(sampleIndex({ mediaType })), mediaType)).toMatchObject({
    kind: 'index',
    mediaType,
  })
})

test('a document without a media type has the announced kind', () => {
  const bytes = jsonBytes(sampleManifest({ mediaType: undefined }))
  expect(parseImageDocument(bytes, MediaType.DockerManifest).mediaType).toBe(MediaType.DockerManifest)
})

test.each([null, '', undefined])('a media type of %j counts as absent', mediaType => {
  const bytes = jsonBytes(sampleManifest({ mediaType }))
  expect(parseImageDocument(bytes, MediaType.DockerManifest).mediaType).toBe(MediaType.DockerManifest)
  expect(parseImageDocument(bytes).mediaType).toBe(MediaType.OciManifest)
})

test('a document without any media type is recognised by its members', () => {
  expect(parseImageDocument(jsonBytes(sampleManifest({ mediaType: undefined }))).kind).toBe('manifest')
  expect(parseImageDocument(jsonBytes(sampleIndex({ mediaType: undefined }))).kind).toBe('index')
})

test('a document whose media type differs from the announced one is rejected', async () => {
  const run = () => parseImageDocument(jsonBytes(sampleManifest()), MediaType.DockerManifest)
  expect(await thrownBy(run)).toMatchObject({ code: 'ERR_INVALID_MANIFEST', at: 'mediaType' })
})

test('a media type that is not a string is rejected', async () => {
  const run = () => parseImageDocument(jsonBytes(sampleManifest({ mediaType: {} })))
  expect(await thrownBy(run)).toMatchObject({ code: 'ERR_INVALID_MANIFEST', at: 'mediaType' })
})

test.each([
  ['an unknown kind', sampleManifest({ mediaType: 'application/vnd.example' }), undefined],
  ['a config', sampleManifest({ mediaType: undefined }), MediaType.OciConfig],
  ['a manifest of version 1', { schemaVersion: 1, name: 'x', fsLayers: [], history: [] }, undefined],
])('%s is unsupported', async (_, document, mediaType) => {
  const run = () => parseImageDocument(jsonBytes(document), mediaType)
  expect(await thrownBy(run)).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
})

test('an invalid index is reported as an invalid index', async () => {
  const run = () => parseImageDocument(jsonBytes(sampleIndex({ manifests: [1] })))
  expect(await thrownBy(run)).toMatchObject({ code: 'ERR_INVALID_INDEX', at: 'manifests[0]' })
})

test('an image needs its config and its layers, in this order', () => {
  const layers = [sampleDescriptor({ digest: sampleDigest('1') }), sampleDescriptor({ digest: sampleDigest('2') })]
  const config = sampleDescriptor({ digest: sampleDigest('config') })
  const document = parseImageDocument(jsonBytes(sampleManifest({ config, layers, subject: sampleDescriptor() })))
  expect(successorsOf(document)).toEqual([config, ...layers])
})

test('an index needs its manifests', () => {
  expect(successorsOf(parseImageDocument(jsonBytes(sampleIndex())))).toEqual(sampleIndex().manifests)
})
