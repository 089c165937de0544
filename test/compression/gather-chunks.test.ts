import { expect, test } from 'vitest'
import { gatherChunks } from '../../lib/compression/shared/gather-chunks.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const KIB = 1024

async function gathered(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const all: Buffer[] = []
  // A copy: a chunk is valid until the next one.
  for await (const chunk of gatherChunks(chunks)) all.push(Buffer.from(chunk))
  return all
}

test('chunks that come byte by byte are joined, and nothing is lost or changed', async () => {
  const bytes = mixedBytes(50_000)
  const joined = await gathered(Array.from(bytes, byte => Uint8Array.of(byte)))
  expect(Buffer.concat(joined).equals(bytes)).toBe(true)
  expect(joined.length).toBeLessThan(6)
})

test('large chunks pass as they are, small ones before and behind them come in their order', async () => {
  const large = mixedBytes(40 * KIB)
  const seen: Uint8Array[] = []
  for await (const chunk of gatherChunks([large])) seen.push(chunk)
  expect(seen[0]).toBe(large)
  const sizes = [3, 40 * KIB, 5, 12 * KIB, 10 * KIB, 17 * KIB, 100 * KIB, 0, 1]
  const chunks = sizes.map((size, i) => Buffer.alloc(size, 65 + i))
  expect(Buffer.concat(await gathered(chunks)).equals(Buffer.concat(chunks))).toBe(true)
  expect(await gathered([])).toEqual([])
})

test('bytes before a failure of the source are yielded before the error', async () => {
  async function* failing() {
    yield Buffer.from('before')
    throw new Error('the source failed')
  }
  const seen: string[] = []
  const error = await thrownBy(async () => {
    for await (const chunk of gatherChunks(failing())) seen.push(Buffer.from(chunk).toString())
  })
  expect([seen, error.message]).toEqual([['before'], 'the source failed'])
})

test('leaving early stops the source', async () => {
  const { source, state } = watchedSource(Array.from({ length: 100 }, () => Buffer.alloc(10 * KIB)))
  for await (const _ of gatherChunks(source)) break
  expect(state.returned).toBe(true)
  expect(state.taken).toBeLessThan(5)
})
