import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { cut } from '../helpers/cut.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const MIB = 1024 * 1024
const bomb = Buffer.concat(Array(20).fill(gzipSync(Buffer.alloc(64 * MIB), { level: 9 })))

test('a gzip stream that grows a thousandfold stops at the ratio, soon after 64 MiB', async () => {
  let seen = 0
  const read = async () => {
    for await (const chunk of decompress(cut(bomb, 16384))) seen += chunk.byteLength
  }
  const error = await thrownBy(read)
  expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 1000 })
  expect(seen).toBeLessThan(96 * MIB)
})

test('a caller that knows its content may allow more', async () => {
  let seen = 0
  for await (const chunk of decompress(bomb.subarray(0, bomb.byteLength / 10), { maxRatio: 2000 })) {
    seen += chunk.byteLength
  }
  expect(seen).toBe(128 * MIB)
})

test('a gzip bomb stops at maxBytes within a moment', async () => {
  const error = await thrownBy(() => readAll(decompress(bomb, { maxBytes: 10 * MIB })))
  expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 10 * MIB })
})
