import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonString } from '../../lib/internal/json-string.ts'

test.each(['', 'usr/bin/node', 'a "b"', 'back\\slash', 'tab\t', 'é', '\ud800', '\u007f', '\u2028'])(
  'the JSON of %j is that of JSON.stringify',
  text => {
    expect(jsonString(text)).toBe(JSON.stringify(text))
  },
)

test('the JSON of any text is that of JSON.stringify', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(jsonString(text)).toBe(JSON.stringify(text))
    }),
  )
})
