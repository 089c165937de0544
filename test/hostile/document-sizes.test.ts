import { expect, test } from 'vitest'
import { parseImageDocument } from '../../lib/oci/index.ts'
import { sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const withSize = (document: object, size: string) =>
  Buffer.from(JSON.stringify(document).replaceAll('"size":0', size === '' ? '"x":0' : `"size":${size}`))

test.each([
  ['size-missing', ''],
  ['size-null', 'null'],
  ['size-negative', '-1'],
  ['size-fraction', '1.5'],
  ['size-string', '"0"'],
  ['size-over-2-53', '9007199254740993'],
  ['size-huge-exponent', '1e400'],
  ['size-big-exponent', '1e30'],
  ['size-array', '[0]'],
  ['size-true', 'true'],
])('%s is refused', async (_, size) => {
  expect(await thrownBy(() => parseImageDocument(withSize(sampleManifest(), size)))).toMatchObject({
    code: 'ERR_INVALID_MANIFEST',
    at: 'config.size',
  })
  expect(await thrownBy(() => parseImageDocument(withSize(sampleIndex(), size)))).toMatchObject({
    code: 'ERR_INVALID_INDEX',
    at: 'manifests[0].size',
  })
})

test.each(['0', '9007199254740991', '1e3'])('a size of %s bytes is a size', size => {
  expect(parseImageDocument(withSize(sampleManifest(), size)).kind).toBe('manifest')
})
