import { expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { zstdFrame } from '../helpers/zstd-frames.ts'

test('a zstd stream that grows thirtythousandfold stops at the ratio, soon after 64 MiB', async () => {
  const bomb = zstdFrame(
    Array.from({ length: 80_000 }, () => ({ repeat: 0, size: 128 * 1024 })),
    { window: 0x50 },
  )
  let seen = 0
  const read = async () => {
    for await (const chunk of decompress(bomb)) seen += chunk.byteLength
  }
  const error = await thrownBy(read)
  expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  expect(seen).toBeLessThan(bomb.byteLength * 1001)
})

test('a small zstd bomb stops at maxBytes without holding more than that', async () => {
  const bomb = zstdFrame(
    Array.from({ length: 20_000 }, () => ({ repeat: 0, size: 128 * 1024 })),
    { window: 0x50 },
  )
  const error = await thrownBy(() => readAll(decompress(bomb, { maxBytes: 10_000_000 })))
  expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 10_000_000 })
})
