import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createDigester, type DigestAlgorithm, digestOf } from '../../lib/digest/index.ts'

const inputs = { empty: Buffer.alloc(0), abc: Buffer.from('abc'), 'one megabyte of a': Buffer.alloc(1_000_000, 'a') }

describe.each(['sha256', 'sha512'] as const)('%s', algorithm => {
  test.each(Object.entries(inputs))('agrees with the platform on %s, in either engine', async (_, input) => {
    const expected = `${algorithm}:${createHash(algorithm).update(input).digest('hex')}`
    expect(await digestOf(input, { algorithm })).toBe(expected)
    expect(await digestOf(input, { algorithm, hasher: 'native' })).toBe(expected)
  })
})

/** From the test vectors of the BLAKE3 reference implementation: the input is 0, 1, … 250, 0, 1, …. */
const blake3: Record<number, string> = {
  0: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  1: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
  1023: '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11',
  1024: '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
  1025: 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
}

test.each(Object.entries(blake3))('blake3 of the published input of %s bytes is the published one', async (n, hex) => {
  const input = Uint8Array.from({ length: Number(n) }, (_, i) => i % 251)
  expect(await digestOf(input, { algorithm: 'blake3' })).toBe(`blake3:${hex}`)
})

test('the well-known digests of nothing and of abc', async () => {
  expect(await digestOf(inputs.empty)).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(await digestOf(inputs.abc)).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  const abc3 = 'blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85'
  expect(await digestOf(inputs.abc, { algorithm: 'blake3' })).toBe(abc3)
})

test('the native engine refuses blake3, which the platform does not have', async () => {
  await expect(createDigester({ algorithm: 'blake3', hasher: 'native' })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})

test.each(['sha256', 'sha512', 'blake3'] as const)('%s of a stream is that of its bytes', async algorithm => {
  async function* stream() {
    for (const part of ['a', '', 'bc']) yield Buffer.from(part)
  }
  expect(await digestOf(stream(), { algorithm })).toBe(await digestOf(inputs.abc, { algorithm }))
})

test('a digest of a stream that fails is the failure, and the hasher continues to be used', async () => {
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    throw new Error('no more')
  }
  const algorithm: DigestAlgorithm = 'sha256'
  await expect(digestOf(failing(), { algorithm })).rejects.toThrow('no more')
  expect(await digestOf(inputs.abc)).toMatch(/^sha256:ba7816bf/)
})
