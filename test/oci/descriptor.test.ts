import { expect, test } from 'vitest'
import { parseDescriptor } from '../../lib/oci/index.ts'
import { expectBoundedTime } from '../helpers/processor-time.ts'
import { sampleDescriptor as sample, sampleDigest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('a descriptor is returned with all its members, known and unknown', () => {
  const full = sample({
    urls: ['https://example.com/blob'],
    annotations: { a: 'b' },
    data: 'e30=',
    size: 2,
    artifactType: 'application/x.thing',
    platform: { os: 'linux', architecture: 'arm', variant: 'v7', 'os.features': ['a'], future: 1 },
    'com.example.unknown': { deep: [1] },
  })
  expect(parseDescriptor(full)).toEqual(full)
})

test('null for an optional member counts as absent, and is left out of the value', () => {
  const bare = { os: 'linux', architecture: 'arm' }
  const platform = { ...bare, variant: null, 'os.version': null, 'os.features': null }
  expect(parseDescriptor(sample({ platform }))).toStrictEqual(sample({ platform: bare }))
  const value = sample({ urls: null, annotations: null, platform: null, data: null, artifactType: null, 'x-odd': null })
  expect(parseDescriptor(value)).toStrictEqual(sample({ 'x-odd': null }))
})

test('an unknown media type is kept', () => {
  expect(parseDescriptor(sample({ mediaType: 'application/vnd.example+x' })).mediaType).toBe(
    'application/vnd.example+x',
  )
})

test.each([
  ['', 'text'],
  ['', null],
  ['', []],
  ['', undefined],
  ['mediaType', sample({ mediaType: undefined })],
  ['mediaType', sample({ mediaType: 5 })],
  ['mediaType', sample({ mediaType: '' })],
  ['mediaType', sample({ mediaType: 'noslash' })],
  ['mediaType', sample({ mediaType: 'a/b; charset=utf-8' })],
  ['mediaType', sample({ mediaType: 'a/b\r\nX: y' })],
  ['mediaType', sample({ mediaType: '.foo/bar' })],
  ['mediaType', sample({ mediaType: 'foo/.bar' })],
  ['mediaType', sample({ mediaType: `${'1'.repeat(128)}/bar` })],
  ['digest', sample({ digest: undefined })],
  ['digest', sample({ digest: null })],
  ['size', sample({ size: undefined })],
  ['urls', sample({ urls: 'https://example.com' })],
  ['urls[1]', sample({ urls: ['a', 1] })],
  ['annotations', sample({ annotations: [] })],
  ['annotations.key', sample({ annotations: { key: 1 } })],
  ['data', sample({ data: 1 })],
  ['data', sample({ data: 'not base64!' })],
  ['data', sample({ data: 'ab=cd' })],
  ['artifactType', sample({ artifactType: 1 })],
  ['platform', sample({ platform: 'linux/amd64' })],
  ['platform.os', sample({ platform: { architecture: 'amd64' } })],
  ['platform.architecture', sample({ platform: { os: 'linux', architecture: 1 } })],
  ['platform.variant', sample({ platform: { os: 'linux', architecture: 'arm', variant: 7 } })],
  ['platform.os.version', sample({ platform: { os: 'windows', architecture: 'amd64', 'os.version': 10 } })],
  ['platform.os.features', sample({ platform: { os: 'windows', architecture: 'amd64', 'os.features': 'x' } })],
  ['platform.os.features[0]', sample({ platform: { os: 'windows', architecture: 'amd64', 'os.features': [1] } })],
])('the error names the path of the fault: %j', async (at, value) => {
  const error = await thrownBy(() => parseDescriptor(value))
  expect(error).toMatchObject({ code: 'ERR_INVALID_DESCRIPTOR', at })
  if (at) expect(error.message).toContain(`(at ${at})`)
})

test('a digest of every supported algorithm is accepted', () => {
  const hex = sampleDigest().slice(7)
  for (const digest of [`sha256:${hex}`, `sha512:${hex}${hex}`, `blake3:${hex}`]) {
    expect(parseDescriptor(sample({ digest })).digest).toBe(digest)
  }
})

test.each([
  'sha256+b64:c86f7763873b6c0aae22d963bab59b4f5debbed6685761b5951584f6efb0633b',
  'sha256+foo-bar:c86f7763873b6c0aae22d963bab59b4f5debbed6685761b5951584f6efb0633b',
  'sha256.foo-bar:c86f7763873b6c0aae22d963bab59b4f5debbed6685761b5951584f6efb0633b',
  'multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8',
  'sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564',
  'sha256+b64u.unknownlength:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=',
  'sha384:38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
])('a digest of an algorithm that is not computed here is carried if it is well-formed: %s', digest => {
  expect(parseDescriptor(sample({ digest })).digest).toBe(digest)
})

test.each([
  'sha256+foo+-b:c86f7763873b6c0aae22d963bab59b4f5debbed6685761b5951584f6efb0633b',
  'sha256:5B0BCABD1ED22E9FB1310CF6C2DEC7CDEF19F0AD69EFA1F392E94A4333501270',
  'SHA999:c86f7763873b6c0aae22d963bab59b4f5debbed6685761b5951584f6efb0633b',
  ':5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270',
  'sha999:',
  `sha999:${'a'.repeat(512)}`,
])('a digest that does not follow the grammar is refused: %s', async digest => {
  expect(await thrownBy(() => parseDescriptor(sample({ digest })))).toMatchObject({ at: 'digest' })
})

test('a media type may contain every character that the specification allows', () => {
  const mediaType = `${'1'.repeat(127)}/a!#$&^_.+-b`
  expect(parseDescriptor(sample({ mediaType })).mediaType).toBe(mediaType)
})

test.each([
  ['data', `${'A'.repeat(4_000_000)}!`],
  ['mediaType', 'a.'.repeat(500_000)],
])('the parser rejects megabytes of %s in linear time', async (at, value) => {
  await expectBoundedTime(at, value.length, async () => {
    expect(await thrownBy(() => parseDescriptor(sample({ [at]: value })))).toMatchObject({ at })
    return 0
  })
})
