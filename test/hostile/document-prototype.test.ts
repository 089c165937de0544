import { expect, test } from 'vitest'
import { parseConfig, parseImageDocument, parseManifest } from '../../lib/oci/index.ts'
import { sampleConfig, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/** JSON of a document with a `__proto__` member, which no object literal can have. */
const withProto = (document: Record<string, unknown>, proto: unknown) =>
  Buffer.from(`${JSON.stringify(document).slice(0, -1)},"__proto__":${JSON.stringify(proto)}}`)

test('json-proto-top: __proto__ does not supply the members that are missing', async () => {
  const { layers, config, ...rest } = sampleManifest()
  const bytes = withProto(rest, { layers, config })
  expect(await thrownBy(() => parseManifest(bytes))).toMatchObject({ code: 'ERR_INVALID_MANIFEST', at: 'config' })
  const { manifests, ...index } = sampleIndex()
  expect(await thrownBy(() => parseImageDocument(withProto(index, { manifests })))).toMatchObject({ at: 'manifests' })
})

test('json-proto-layers: nor the layers, which a manifest may leave out', async () => {
  const { layers, ...rest } = sampleManifest()
  expect(await thrownBy(() => parseManifest(withProto(rest, { layers })))).toMatchObject({ at: 'layers' })
})

test('config-proto: neither does it in a config', async () => {
  const { rootfs, ...rest } = sampleConfig()
  expect(await thrownBy(() => parseConfig(withProto(rest, { rootfs })))).toMatchObject({ at: 'rootfs' })
})

test('ok-proto-annotations: a key named __proto__ in annotations is a key, and changes nothing', () => {
  const text = JSON.stringify(sampleManifest({ annotations: { a: 'b' } })).replace('"a":"b"', '"__proto__":"x"')
  const { annotations } = parseManifest(Buffer.from(text))
  expect(Object.keys(annotations!)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>).x).toBeUndefined()
})

test('annotations under __proto__ must be text, too', async () => {
  const text = JSON.stringify(sampleManifest({ annotations: { a: 'b' } })).replace('"a":"b"', '"__proto__":{"x":1}')
  expect(await thrownBy(() => parseManifest(Buffer.from(text)))).toMatchObject({ at: 'annotations.__proto__' })
})

test('inherited names are no members: a document without mediaType, toString or constructor has none', async () => {
  expect(await thrownBy(() => parseManifest(Buffer.from('{"constructor":{},"toString":1}')))).toMatchObject({
    at: 'schemaVersion',
  })
})
