import { expect, test } from 'vitest'
import { decodeName, encodeName } from '../../lib/internal/name-bytes.ts'
import fc, { cases } from '../helpers/fast-check.ts'

const pieces = fc.constantFrom(
  [0xed, 0xa0, 0x80],
  [0xed, 0xb2, 0x80],
  [0xef, 0xbf, 0xbd],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xc3, 0xa4],
  [0xc0, 0xaf],
  [0xff],
  [0x80],
  [0x2f],
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.array(pieces, { maxLength: 12 }).map(parts => Uint8Array.from(parts.flat())),
)

test('any bytes come back as they were', () => {
  fc.assert(
    fc.property(bytes, bytes => {
      expect(encodeName(decodeName(bytes))).toEqual(Buffer.from(bytes))
    }),
    { numRuns: cases(5000) },
  )
})

test('different bytes never become the same name', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(decodeName(a) === decodeName(b)).toBe(Buffer.compare(a, b) === 0)
    }),
    { numRuns: cases(2000) },
  )
})

test('well-formed text is its UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(encodeName(text)).toEqual(Buffer.from(text, 'utf8'))
      expect(decodeName(Buffer.from(text, 'utf8'))).toBe(text)
    }),
  )
})
