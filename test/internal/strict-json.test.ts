import { expect, test } from 'vitest'
import { JsonFault, parseStrictJson } from '../../lib/internal/strict-json.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const parse = (text: string, depth?: number) => parseStrictJson(Buffer.from(text), depth)

test.each([
  'null',
  '"text"',
  '[1,-2.5e3,true]',
  '{"a":{"a":1},"b":[{"a":1}]}',
  ' {"\\u0061" : "\\"b\\":" , "b\\\\":2}\n',
  '{"a":"b","b":"a"}',
  '["a","a"]',
  '{"":0}',
])('%s is read as JSON.parse reads it', text => {
  expect(parse(text)).toEqual(JSON.parse(text))
})

test('a fault knows the byte where it shows and keeps its cause', async () => {
  expect(await thrownBy(() => parse('{"ä":1,"ä":2}'))).toMatchObject({ position: 8 })
  expect(await thrownBy(() => parse('[[[]]]', 2))).toMatchObject({ position: 2 })
  const malformed = await thrownBy(() => parse('{'))
  expect(malformed).toBeInstanceOf(JsonFault)
  expect(malformed.cause).toBeInstanceOf(SyntaxError)
  expect((await thrownBy(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22])))).cause).toBeInstanceOf(TypeError)
})

test('a part of a larger buffer is read as that part', () => {
  const whole = Buffer.from('xx{"abc":1,"def":2}yy')
  expect(parseStrictJson(whole.subarray(2, -2))).toEqual({ abc: 1, def: 2 })
  expect(parseStrictJson(new Uint8Array(whole.subarray(2, -2)))).toEqual({ abc: 1, def: 2 })
})

test('a byte order mark inside a string is a character', () => {
  expect(parse('"\ufeff"')).toBe('\ufeff')
})
