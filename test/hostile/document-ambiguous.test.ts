import { expect, test } from 'vitest'
import { MediaType, parseImageDocument, parseIndex, parseManifest } from '../../lib/oci/index.ts'
import { jsonBytes, sampleDescriptor, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/* CVE-2021-41190: a document that one program reads as a manifest and another as an index. */

const both = { ...sampleIndex(), ...sampleManifest() }

test.each([
  ['ambig-config-and-manifests', sampleIndex({ config: sampleDescriptor() })],
  ['ambig-layers-and-manifests', sampleIndex({ layers: [] })],
  ['ambig-manifests-in-manifest', sampleManifest({ manifests: [] })],
  ['ambig-null-manifests-in-manifest', sampleManifest({ manifests: null })],
  ['ambig-fslayers-in-manifest', sampleManifest({ fsLayers: [] })],
  ['ambig-history-in-manifest', sampleManifest({ history: [] })],
  ['ambig-fslayers-in-index', sampleIndex({ fsLayers: [] })],
  ['ambig-all-of-both', both],
  ['ambig-all-of-both-untyped', { ...both, mediaType: undefined }],
])('%s is refused, whatever it is announced as', async (_, document) => {
  const bytes = jsonBytes(document)
  for (const said of [undefined, MediaType.OciManifest, MediaType.OciIndex, MediaType.DockerManifest]) {
    const error = await thrownBy(() => parseImageDocument(bytes, said))
    expect(['ERR_INVALID_MANIFEST', 'ERR_INVALID_INDEX']).toContain(error.code)
  }
  await thrownBy(() => parseManifest(bytes))
  await thrownBy(() => parseIndex(bytes))
})

test('a manifest that says it is an index is neither', async () => {
  const bytes = jsonBytes(sampleManifest({ mediaType: MediaType.OciIndex }))
  expect(await thrownBy(() => parseManifest(bytes))).toMatchObject({ code: 'ERR_INVALID_MANIFEST', at: 'mediaType' })
  expect(await thrownBy(() => parseImageDocument(bytes))).toMatchObject({ code: 'ERR_INVALID_INDEX' })
})

test('an index that says it is a manifest is neither', async () => {
  const bytes = jsonBytes(sampleIndex({ mediaType: MediaType.DockerManifest }))
  expect(await thrownBy(() => parseIndex(bytes))).toMatchObject({ code: 'ERR_INVALID_INDEX', at: 'mediaType' })
  expect(await thrownBy(() => parseImageDocument(bytes))).toMatchObject({ code: 'ERR_INVALID_MANIFEST' })
})

test('members that differ in case only are not the members that are meant', async () => {
  const { layers, ...rest } = sampleManifest()
  expect(await thrownBy(() => parseManifest(jsonBytes({ ...rest, Layers: layers })))).toMatchObject({ at: 'layers' })
  expect(parseManifest(jsonBytes({ ...sampleManifest({ layers: [] }), LAYERS: [1] })).layers).toEqual([])
})
