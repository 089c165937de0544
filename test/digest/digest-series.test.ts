import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createDigestSeries, digestOf } from '../../lib/digest/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const ENGINES = ['wasm', 'native'] as const

test.each(ENGINES)('a %s series gives the digest of each input, whatever came before it', async hasher => {
  const series = await createDigestSeries({ hasher })
  const bytes = mixedBytes(200_000)
  for (const size of [0, 1, 63, 64, 65, 5000, 0, 200_000, 3]) {
    const input = bytes.subarray(0, size)
    for (let at = 0; at < size; at += 7777) series.update(input.subarray(at, at + 7777))
    expect(series.next()).toBe(`sha256:${createHash('sha256').update(input).digest('hex')}`)
  }
  series.release()
})

test.each(ENGINES)('two %s series at once do not disturb each other', async hasher => {
  const [a, b] = [await createDigestSeries({ hasher }), await createDigestSeries({ hasher })]
  a.update(Buffer.from('x'))
  b.update(Buffer.from('y'))
  a.update(Buffer.from('x'))
  expect(b.next()).toBe(await digestOf(Buffer.from('y')))
  expect(a.next()).toBe(await digestOf(Buffer.from('xx')))
  for (const series of [a, b]) series.release()
})

test('a series is of the algorithm asked for, and refuses what the engine has not', async () => {
  const series = await createDigestSeries({ algorithm: 'sha512' })
  expect(series.next()).toBe(await digestOf(Buffer.alloc(0), { algorithm: 'sha512' }))
  series.release()
  const refused = await thrownBy(() => createDigestSeries({ algorithm: 'blake3', hasher: 'native' }))
  expect(refused).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})
