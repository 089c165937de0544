import { expect, test } from 'vitest'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'

const text = (value: unknown) => Buffer.from(canonicalJson(value)).toString()

test('keys are in the order of their code units, at every depth', () => {
  expect(text({ b: 1, a: [{ d: 1, c: 2 }], A: {}, ä: 0, 10: 0, 9: 0 })).toBe(
    '{"9":0,"10":0,"A":{},"a":[{"c":2,"d":1}],"b":1,"ä":0}',
  )
})

test('equal values have equal bytes, in whatever order they were made', () => {
  expect(text({ a: 1, b: { c: 2, d: 3 } })).toBe(text({ b: { d: 3, c: 2 }, a: 1 }))
})

test('members that are undefined are left out; null, false and empty stay', () => {
  expect(text({ a: undefined, b: null, c: false, d: '', e: [], f: {} })).toBe(
    '{"b":null,"c":false,"d":"","e":[],"f":{}}',
  )
})

test('a key named __proto__ is written as a key', () => {
  expect(text(JSON.parse('{"b":1,"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1},"b":1}')
})

test.each([null, 1, 'text', true, [3, 1, 2]])('%j is written as it is', value => {
  expect(text(value)).toBe(JSON.stringify(value))
})
