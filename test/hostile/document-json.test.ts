import { expect, test } from 'vitest'
import { parseConfig, parseImageDocument } from '../../lib/oci/index.ts'
import { expectBoundedTime } from '../helpers/processor-time.ts'
import { sampleConfig, sampleManifest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const manifest = JSON.stringify(sampleManifest())
const inside = (text: string) => Buffer.from(`${manifest.slice(0, -1)},${text}}`)
const nested = (depth: number) => inside(`"x":${'['.repeat(depth)}${']'.repeat(depth)}`)

test.each<[name: string, bytes: Buffer]>([
  ['json-empty', Buffer.alloc(0)],
  ['json-bom', Buffer.from(`\ufeff${manifest}`)],
  ['json-utf16', Buffer.from(manifest, 'utf16le')],
  ['json-invalid-utf8', Buffer.concat([Buffer.from(manifest.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')])],
  [
    'json-encoded-surrogate',
    Buffer.concat([inside('"x":"').subarray(0, -1), Buffer.from([0xed, 0xa0, 0x80, 0x22, 0x7d])]),
  ],
  ['json-two-documents', Buffer.from(`${manifest}${manifest}`)],
  ['json-trailing-garbage', Buffer.from(`${manifest} x`)],
  ['json-trailing-nul', Buffer.from(`${manifest}\0`)],
  ['json-truncated', Buffer.from(manifest.slice(0, -1))],
  ['json-trailing-comma', Buffer.from(`${manifest.slice(0, -1)},}`)],
  ['json-comment', Buffer.from(`/* */${manifest}`)],
  ['json-single-quotes', Buffer.from(manifest.replaceAll('"', "'"))],
  ['json-nan', inside('"x":NaN')],
  ['json-array', Buffer.from(`[${manifest}]`)],
  ['json-null', Buffer.from('null')],
  ['json-string', Buffer.from('"manifest"')],
  ['json-dup-layers', inside('"layers":[]')],
  ['json-dup-escaped', inside('"l\\u0061yers":[]')],
  ['json-dup-spaced', inside('"layers" \n\t\r :[]')],
  ['json-dup-deep', inside('"x":[{"y":{"a":1,"b":2,"a":1}}]')],
  ['json-dup-proto', inside('"__proto__":1,"__proto__":2')],
  ['json-dup-empty-key', inside('"":1,"":2')],
  ['json-depth-65', nested(64)],
  ['json-depth-200000', nested(200_000)],
  ['json-depth-open-only', Buffer.from('['.repeat(1_000_000))],
  ['json-bad-escape-in-key', inside('"\\x":1')],
  ['json-open-string', Buffer.from('{"a')],
  ['json-open-escape', Buffer.from('{"a\\')],
])('%s is refused', async (_, bytes) => {
  expect(await thrownBy(() => parseImageDocument(bytes))).toMatchObject({ code: 'ERR_INVALID_MANIFEST' })
  expect(await thrownBy(() => parseConfig(bytes))).toMatchObject({ code: 'ERR_INVALID_CONFIG' })
})

test('the error says at which byte', async () => {
  expect(await thrownBy(() => parseImageDocument(inside('"layers":[]')))).toMatchObject({
    at: `byte ${manifest.length}`,
    message: expect.stringContaining('"layers" stands twice'),
  })
})

test('valid JSON is accepted: white space, escapes, equal keys in different objects, 64 levels', () => {
  expect(parseImageDocument(Buffer.from(JSON.stringify(sampleManifest(), null, 3))).kind).toBe('manifest')
  expect(parseImageDocument(inside('"x":{"a":{"a":"a"},"b":[{"a":1},{"a":2}],"c":"{\\"a\\":1,\\"a\\":2}"}')).kind).toBe(
    'manifest',
  )
  expect(parseImageDocument(nested(63)).kind).toBe('manifest')
  expect(parseImageDocument(inside('"\\u00fc\\n\\\\":"\\ud83d\\ude00"')).kind).toBe('manifest')
})

test('the parser reads four megabytes of keys in linear time', async () => {
  const keys = Array.from({ length: 250_000 }, (_, i) => `"k${i}":1`).join(',')
  const bytes = Buffer.from(`${JSON.stringify(sampleConfig()).slice(0, -1)},${keys}}`)
  await expectBoundedTime('keys', bytes.byteLength, async () => {
    expect(parseConfig(bytes)).toHaveProperty('k249999')
    return 0
  })
})
