import { expect, test } from 'vitest'
import { parseImageDocument } from '../../lib/oci/index.ts'
import { jsonBytes, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test.each([
  ['sv-missing', undefined],
  ['sv-null', null],
  ['sv-1', 1],
  ['sv-3', 3],
  ['sv-string', '2'],
  ['sv-fraction', 2.5],
  ['sv-array', [2]],
  ['sv-true', true],
])('%s: only the number 2 is a schema version', async (_, schemaVersion) => {
  for (const document of [sampleManifest({ schemaVersion }), sampleIndex({ schemaVersion })]) {
    expect(await thrownBy(() => parseImageDocument(jsonBytes(document)))).toMatchObject({ at: 'schemaVersion' })
  }
})

test('2.0 is 2', () => {
  const text = JSON.stringify(sampleManifest()).replace('"schemaVersion":2', '"schemaVersion":2.0')
  expect(parseImageDocument(Buffer.from(text)).kind).toBe('manifest')
})
