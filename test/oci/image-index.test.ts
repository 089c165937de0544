import { expect, test } from 'vitest'
import { parseIndex } from '../../lib/oci/index.ts'
import { jsonBytes, sampleIndex as sample, sampleDescriptor } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('an index is read with all its members, known and unknown', () => {
  const full = sample({ artifactType: 'a/b', subject: sampleDescriptor(), annotations: { a: 'b' }, future: null })
  expect(parseIndex(jsonBytes(full))).toEqual(full)
})

test('an index may be empty, and may have no media type', () => {
  expect(parseIndex(jsonBytes(sample({ manifests: [], mediaType: undefined }))).manifests).toEqual([])
})

test.each([
  ['mediaType', { mediaType: 2 }],
  ['artifactType', { artifactType: 1 }],
  ['manifests', { manifests: undefined }],
  ['manifests', { manifests: null }],
  ['manifests', { manifests: {} }],
  ['manifests[0]', { manifests: [null] }],
  ['manifests[1].size', { manifests: [sampleDescriptor(), sampleDescriptor({ size: '1' })] }],
  ['subject', { subject: [] }],
  ['annotations', { annotations: 'x' }],
])('the error names the path of the fault: %s of %j', async (at, members) => {
  const error = await thrownBy(() => parseIndex(jsonBytes(sample(members))))
  expect(error).toMatchObject({ code: 'ERR_INVALID_INDEX', at })
})
