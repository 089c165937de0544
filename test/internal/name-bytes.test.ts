import { expect, test } from 'vitest'
import { decodeName, encodeName } from '../../lib/internal/name-bytes.ts'

test.each([
  ['plain', Buffer.from('usr/bin/env'), 'usr/bin/env'],
  ['UTF-8', Buffer.from('ümläut/日本/😀'), 'ümläut/日本/😀'],
  ['a byte that is no UTF-8', Buffer.from([0x61, 0xff, 0x62]), 'a\udcffb'],
  ['Latin-1', Buffer.from('caf\xe9', 'latin1'), 'caf\udce9'],
  ['an encoded surrogate', Buffer.from([0xed, 0xa0, 0x80]), '\udced\udca0\udc80'],
  ['an encoded escape', Buffer.from([0xed, 0xb2, 0x80]), '\udced\udcb2\udc80'],
  ['an overlong slash', Buffer.from([0xc0, 0xaf]), '\udcc0\udcaf'],
  ['beyond Unicode', Buffer.from([0xf4, 0x90, 0x80, 0x80]), '\udcf4\udc90\udc80\udc80'],
  ['a sequence cut off', Buffer.from([0xe2, 0x82]), '\udce2\udc82'],
  ['a replacement character', Buffer.from('\ufffd'), '\ufffd'],
  ['a replacement character beside a wrong byte', Buffer.from([0xef, 0xbf, 0xbd, 0x80]), '\ufffd\udc80'],
  ['four-byte character beside a wrong byte', Buffer.from([0xf0, 0x9f, 0x98, 0x80, 0xfe]), '😀\udcfe'],
  ['a byte order mark', Buffer.from('\ufeffx'), '\ufeffx'],
  ['nothing', Buffer.alloc(0), ''],
])('%s: the bytes become the text and the text the bytes', (_, bytes, text) => {
  expect(decodeName(bytes)).toBe(text)
  expect(encodeName(text)).toEqual(bytes)
})

test('the escapes survive JSON', () => {
  const bytes = Buffer.from([0x80, 0xff, 0x41])
  expect(encodeName(JSON.parse(JSON.stringify(decodeName(bytes))))).toEqual(bytes)
})

test('a part of a larger buffer is read as that part', () => {
  expect(decodeName(new Uint8Array(Buffer.from('xxabcxx').subarray(2, 5)))).toBe('abc')
  expect(decodeName(Buffer.from([0x41, 0xff, 0x42]).subarray(1))).toBe('\udcffB')
})
