import { expect, test } from 'vitest'
import { batchesOf, inBatches } from '../../../lib/internal/memory/batched-iterable.ts'
import { borrowed } from '../../../lib/internal/memory/borrowed.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function allBatches<T>(items: Iterable<T> | AsyncIterable<T>): Promise<(readonly T[])[]> {
  return (await all(batchesOf(items))).map(({ value }) => value)
}

/** Batches of a source that notes how far it has been read, which batches were released, and whether it has ended. */
function watched(batches: number[][]) {
  const seen = { read: 0, released: [] as number[][], ended: false }
  async function* source() {
    try {
      for (const batch of batches) {
        seen.read++
        yield borrowed(batch, () => seen.released.push(batch))
      }
    } finally {
      seen.ended = true
    }
  }
  return { items: inBatches(source()), seen }
}

test('a consumer gets the items of batches one at a time, or the batches as the source made them', async () => {
  expect(await all(watched([[1, 2], [], [3]]).items)).toEqual([1, 2, 3])
  expect(await allBatches(watched([[1, 2], [], [3]]).items)).toEqual([[1, 2], [], [3]])
})

test('any other stream gives batches of one item, whose release does nothing', async () => {
  expect(await allBatches([1, 2])).toEqual([[1], [2]])
  async function* stream() {
    yield 3
    yield 4
  }
  const batches = await all(batchesOf(stream()))
  for (const { release } of batches) release()
  expect(batches.map(({ value }) => value)).toEqual([[3], [4]])
  expect(await allBatches('ab')).toEqual([['a'], ['b']])
})

test('after the first item the rest comes one at a time, so that none is lost', async () => {
  const { items } = watched([[1, 2], [3]])
  expect((await items.next()).value).toBe(1)
  expect(await allBatches(items)).toEqual([[2], [3]])
})

test('batches are consumed once: a second consumer gets what the first has left', async () => {
  const { items } = watched([[1], [2], [3]])
  for await (const { value } of batchesOf(items)) if (value[0] === 1) break
  expect(await allBatches(items)).toEqual([])
})

test.each(['items', 'batches'])('a loop over %s that is left early ends the source', async way => {
  const { items, seen } = watched([[1], [2], [3]])
  for await (const _ of way === 'items' ? items : batchesOf(items)) break
  expect(seen).toMatchObject({ read: 1, ended: true })
})

test('the source is not read before the first request', () => {
  const { items, seen } = watched([[1]])
  batchesOf(items)
  expect(seen.read).toBe(0)
})

test('a consumer of items releases no batch, so that it may keep them', async () => {
  const { items, seen } = watched([[1, 2], [3]])
  await all(items)
  expect(seen.released).toEqual([])
})

test('a consumer of batches releases each when it likes', async () => {
  const { items, seen } = watched([[1, 2], [3]])
  const batches = await all(batchesOf(items))
  batches[1]!.release()
  batches[0]!.release()
  expect(seen.released).toEqual([[3], [1, 2]])
})
