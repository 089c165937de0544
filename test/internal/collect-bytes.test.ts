import { expect, test } from 'vitest'
import { chunksOf } from '../../lib/internal/byte-source.ts'
import { collectBytes } from '../../lib/internal/collect-bytes.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const a = Buffer.from('aaa')
const b = Buffer.from('bb')

test('a buffer, a list and a stream give the same bytes', async () => {
  const stream = async function* () {
    yield a
    yield b
  }
  expect(Buffer.from(await collectBytes(Buffer.from('aaabb'), 5, 'text')).toString()).toBe('aaabb')
  expect(Buffer.from(await collectBytes([a, b], 5, 'text')).toString()).toBe('aaabb')
  expect(Buffer.from(await collectBytes(stream(), 5, 'text')).toString()).toBe('aaabb')
  expect(await collectBytes([], 0, 'text')).toHaveLength(0)
})

test('one byte over the limit stops the reading and closes the source', async () => {
  let read = 0
  let closed = false
  const endless = function* () {
    try {
      while (++read) yield a
    } finally {
      closed = true
    }
  }
  expect(await thrownBy(() => collectBytes(endless(), 8, 'manifest bytes'))).toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
    what: 'manifest bytes',
    limit: 8,
    actual: 9,
  })
  expect([read, closed]).toEqual([3, true])
})

test('the chunks of a buffer are the buffer, those of anything else its own', () => {
  expect([...(chunksOf(a) as Iterable<Uint8Array>)]).toEqual([a])
  const list = [a, b]
  expect(chunksOf(list)).toBe(list)
})
