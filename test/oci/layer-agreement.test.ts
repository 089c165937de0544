import { expect, test } from 'vitest'
import { assertLayersAgree, findLayerDisagreement, type ImageManifest, parseManifest } from '../../lib/oci/index.ts'
import { jsonBytes, sampleConfig, sampleDescriptor, sampleDigest, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const manifest = (layers: number, members: object = {}): ImageManifest =>
  parseManifest(jsonBytes(sampleManifest({ layers: Array(layers).fill(sampleDescriptor()), ...members })))
const config = (rootfs: unknown) => jsonBytes(sampleConfig({ rootfs }))
const listing = (count: number) => config({ type: 'layers', diff_ids: Array(count).fill(sampleDigest()) })

test.each([
  [0, 1],
  [1, 0],
  [2, 3],
])('an image whose config lists %i layers and whose manifest has %i is refused', async (listed, layers) => {
  expect(findLayerDisagreement(manifest(layers), listing(listed))).toEqual({ listed, layers })
  const error = await thrownBy(() => assertLayersAgree(manifest(layers), listing(listed)))
  expect(error).toMatchObject({ code: 'ERR_INVALID_CONFIG', at: 'rootfs.diff_ids' })
  expect(error.message).toContain(`lists ${listed} layers, its manifest ${layers}`)
})

test('an image whose config and manifest agree passes', () => {
  for (const count of [0, 1, 7]) expect(findLayerDisagreement(manifest(count), listing(count))).toBeUndefined()
})

test.each([
  ['no list', config({ type: 'layers' })],
  ['null for the list', config({ type: 'layers', diff_ids: null })],
  ['no root filesystem', config(undefined)],
  ['a list that is none', config({ type: 'layers', diff_ids: 'none' })],
  ['no JSON', Buffer.from('{')],
])('a config with %s says nothing about layers', (_, bytes) => {
  expect(findLayerDisagreement(manifest(1), bytes)).toBeUndefined()
})

test('an artifact may use the config type of images, or their layer types', () => {
  const odd = { layers: [sampleDescriptor({ mediaType: 'application/vnd.in-toto+json' })] }
  expect(findLayerDisagreement(manifest(1, odd), listing(3))).toBeUndefined()
  const other = { config: sampleDescriptor({ mediaType: 'application/vnd.example.config+json' }) }
  expect(findLayerDisagreement(manifest(1, other), listing(3))).toBeUndefined()
})
