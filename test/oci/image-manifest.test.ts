import { expect, test } from 'vitest'
import { parseManifest } from '../../lib/oci/index.ts'
import { jsonBytes, sampleManifest as sample, sampleDescriptor } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('a manifest is read with all its members, known and unknown', () => {
  const full = sample({
    artifactType: 'application/x.thing',
    subject: sampleDescriptor(),
    annotations: { a: 'b' },
    'com.example.unknown': [1, { two: 3 }],
  })
  expect(parseManifest(jsonBytes(full))).toEqual(full)
})

test('the media type may be absent or unknown', () => {
  expect(parseManifest(jsonBytes(sample({ mediaType: undefined }))).mediaType).toBeUndefined()
  expect(parseManifest(jsonBytes(sample({ mediaType: 'a/b' }))).mediaType).toBe('a/b')
})

test('null for an optional member counts as absent, and is left out of the value', () => {
  const { mediaType: _, ...bare } = sample()
  const nulls = { mediaType: null, artifactType: null, subject: null, annotations: null }
  expect(parseManifest(jsonBytes(sample(nulls)))).toStrictEqual(bare)
  const layers = [sampleDescriptor({ annotations: null, urls: null })]
  expect(parseManifest(jsonBytes(sample({ layers }))).layers).toStrictEqual([sampleDescriptor()])
})

test('an image may have no layers at all', () => {
  expect(parseManifest(jsonBytes(sample({ layers: [] }))).layers).toEqual([])
})

test.each([
  ['mediaType', { mediaType: 2 }],
  ['artifactType', { artifactType: {} }],
  ['config', { config: undefined }],
  ['config.size', { config: sampleDescriptor({ size: -1 }) }],
  ['layers[2].digest', { layers: [sampleDescriptor(), sampleDescriptor(), sampleDescriptor({ digest: 'x' })] }],
  ['subject.mediaType', { subject: sampleDescriptor({ mediaType: '' }) }],
  ['annotations.a', { annotations: { a: null } }],
])('the error names the path of the fault: %s', async (at, members) => {
  const error = await thrownBy(() => parseManifest(jsonBytes(sample(members))))
  expect(error).toMatchObject({ code: 'ERR_INVALID_MANIFEST', at })
})
