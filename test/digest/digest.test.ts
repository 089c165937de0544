import { expect, test } from 'vitest'
import { DIGEST_ALGORITHMS, isDigest, parseDigest, splitDigest } from '../../lib/digest/index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const a64 = 'a'.repeat(64)

test.each([`sha256:${a64}`, `sha512:${a64}${a64}`, `blake3:${a64}`])('%s is a digest', text => {
  expect(isDigest(text)).toBe(true)
  expect(parseDigest(text)).toBe(text)
})

test.each([
  '',
  'sha256',
  'sha256:',
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(65)}`,
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'g'.repeat(64)}`,
  `sha512:${a64}`,
  `md5:${'a'.repeat(32)}`,
  `SHA256:${a64}`,
  `constructor:${a64}`,
  `__proto__:${a64}`,
  `sha256:../../${'a'.repeat(58)}`,
  `sha256:${a64}\n`,
  `sha256::${'a'.repeat(63)}`,
  ` sha256:${a64}`,
  a64,
  `sha2567${'a'.repeat(57)}`,
])('%j is not a digest', async text => {
  expect(isDigest(text)).toBe(false)
  expect(await thrownBy(() => parseDigest(text))).toMatchObject({ code: 'ERR_INVALID_DIGEST' })
})

test.each([undefined, null, 1, {}, [], [`sha256:${a64}`]])('%j is not a digest either', value => {
  expect(isDigest(value)).toBe(false)
})

test('the error quotes no more than the beginning of what was given', async () => {
  expect((await thrownBy(() => parseDigest('x'.repeat(100_000)))).message.length).toBeLessThan(250)
})

test('a digest splits into its algorithm and its hexadecimal form', () => {
  expect(splitDigest(parseDigest(`blake3:${a64}`))).toEqual({ algorithm: 'blake3', hex: a64 })
})

test('every algorithm has the length of its hexadecimal form', () => {
  expect(DIGEST_ALGORITHMS).toEqual({ sha256: 64, sha512: 128, blake3: 64 })
})
