import { expect, test } from 'vitest'
import { parseConfig, parseManifest } from '../../lib/oci/index.ts'
import { jsonBytes, sampleConfig, sampleDescriptor, sampleDigest, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test.each([
  ['layers-object', { 0: sampleDescriptor() }, 'layers'],
  ['layers-string', 'layers', 'layers'],
  ['layers-null-member', [null], 'layers[0]'],
  ['layers-nested', [[sampleDescriptor()]], 'layers[0]'],
  ['layers-digest-only', [sampleDigest()], 'layers[0]'],
  ['layers-5000', Array(5000).fill(sampleDescriptor()), 'layers'],
  ['layers-1001', Array(1001).fill(sampleDescriptor()), 'layers'],
])('%s is refused', async (_, layers, at) => {
  expect(await thrownBy(() => parseManifest(jsonBytes(sampleManifest({ layers }))))).toMatchObject({
    code: 'ERR_INVALID_MANIFEST',
    at,
  })
})

test.each([
  ['layers-missing', undefined],
  ['layers-null', null],
])('%s: a list that is left out is an empty one', (_, layers) => {
  expect(parseManifest(jsonBytes(sampleManifest({ layers }))).layers).toEqual([])
})

test('a thousand layers are many, and allowed', () => {
  expect(
    parseManifest(jsonBytes(sampleManifest({ layers: Array(1000).fill(sampleDescriptor()) }))).layers,
  ).toHaveLength(1000)
})

test('diffid-1001: a config may not list more layers either', async () => {
  const rootfs = { type: 'layers', diff_ids: Array(1001).fill(sampleDigest()) }
  expect(await thrownBy(() => parseConfig(jsonBytes(sampleConfig({ rootfs }))))).toMatchObject({
    at: 'rootfs.diff_ids',
  })
})
