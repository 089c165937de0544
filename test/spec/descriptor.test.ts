import { expect, test } from 'vitest'
import { parseDescriptor } from '../../lib/spec/index.ts'
import { sampleDescriptor as sample, sampleDigest } from '../helpers/sample-documents.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('a descriptor is given back with all its members, known and unknown', () => {
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

test('null stands for an absent urls, annotations or platform, as Go programs write it', () => {
  const value = sample({ urls: null, annotations: null, platform: null })
  expect(parseDescriptor(value)).toEqual(value)
})

test('a media type that nobody knows is carried', () => {
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
  ['artifactType', sample({ artifactType: null })],
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

test('a digest of every algorithm that is computed here is accepted', () => {
  const hex = sampleDigest().slice(7)
  for (const digest of [`sha256:${hex}`, `sha512:${hex}${hex}`, `blake3:${hex}`]) {
    expect(parseDescriptor(sample({ digest })).digest).toBe(digest)
  }
})

test('megabytes of base64 and media type are checked in linear time', async () => {
  const long = 'A'.repeat(4_000_000)
  await thrownBy(() => parseDescriptor(sample({ data: `${long}!` })))
  await thrownBy(() => parseDescriptor(sample({ mediaType: `${'a.'.repeat(500_000)}` })))
})
