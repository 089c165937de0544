import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { cut } from '../helpers/cut.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const one = gzipSync('the first member of a stream')
const two = gzipSync('the second member of a stream')
const changed = (at: number, value: number) => {
  const bytes = Buffer.from(one)
  bytes[at < 0 ? bytes.byteLength + at : at] = value
  return bytes
}
const faultOf = (bytes: Uint8Array, size = 65536) =>
  thrownBy(() => readAll(decompress(cut(bytes, size), { type: 'gzip' })))

describe.each([1, 11, 65536])('cut into chunks of %i bytes', size => {
  test.each([
    ['empty', Buffer.alloc(0)],
    ['only a header', one.subarray(0, 10)],
    ['garbage after a member', Buffer.concat([one, Buffer.from('garbage')])],
    ['one byte after a member', Buffer.concat([one, Buffer.from('\x1f', 'latin1')])],
    ['zeros between members', Buffer.concat([one, Buffer.alloc(512), two])],
    ['one zero between members', Buffer.concat([one, Buffer.alloc(1), two])],
    ['zeros, then garbage', Buffer.concat([one, Buffer.alloc(100), Buffer.from('garbage')])],
    ['a wrong checksum', changed(-5, one[one.byteLength - 5]! ^ 1)],
    ['a wrong size', changed(-1, 1)],
    ['a wrong checksum in the second member', Buffer.concat([two, changed(-5, one[one.byteLength - 5]! ^ 1)])],
    ['another method', changed(2, 7)],
    ['a reserved flag', changed(3, 0x20)],
    ['a reserved flag in the second member', Buffer.concat([two, changed(3, 0x80)])],
    ['damaged content', changed(14, one[14]! ^ 0xff)],
    ['plain text', Buffer.from('plain text')],
  ])('%s is refused', async (_, bytes) => {
    expect(await faultOf(bytes, size)).toMatchObject({ code: 'ERR_INVALID_COMPRESSION' })
  })
})

test('a stream cut anywhere is refused, unless a member ends there', async () => {
  const whole = Buffer.concat([one, two])
  for (let size = 0; size < whole.byteLength; size++) {
    if (size === one.byteLength) continue
    expect(await faultOf(whole.subarray(0, size)), `cut at ${size}`).toMatchObject({ code: 'ERR_INVALID_COMPRESSION' })
  }
})
