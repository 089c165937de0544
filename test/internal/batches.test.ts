import { expect, test } from 'vitest'
import { batchesOf, inBatches, lendBatch, returnBatch } from '../../lib/internal/batches.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Batches of a source that notes how far it has been read and whether it was told to end. */
function watched(batches: number[][]) {
  const seen = { read: 0, ended: false }
  async function* source() {
    try {
      for (const batch of batches) {
        seen.read++
        yield batch
      }
    } finally {
      seen.ended = true
    }
  }
  return { items: inBatches(source()), seen }
}

test('items of batches come one at a time, in order, and batches as they were made', async () => {
  expect(await all(watched([[1, 2], [], [3]]).items)).toEqual([1, 2, 3])
  expect(await all(batchesOf(watched([[1, 2], [], [3]]).items))).toEqual([[1, 2], [], [3]])
})

test('items of any other stream come in batches of one', async () => {
  expect(await all(batchesOf([1, 2]))).toEqual([[1], [2]])
  async function* stream() {
    yield 3
    yield 4
  }
  expect(await all(batchesOf(stream()))).toEqual([[3], [4]])
})

test('once an item was taken the rest comes one at a time, so that none is lost', async () => {
  const { items } = watched([[1, 2], [3]])
  expect((await items.next()).value).toBe(1)
  expect(await all(batchesOf(items))).toEqual([[2], [3]])
})

test.each(['items', 'batches'])('a loop over %s that is left early ends the source', async way => {
  const { items, seen } = watched([[1], [2], [3]])
  for await (const _ of way === 'items' ? items : batchesOf(items)) break
  expect(seen).toEqual({ read: 1, ended: true })
})

test('nothing is read before somebody asks', () => {
  const { items, seen } = watched([[1]])
  batchesOf(items)
  expect(seen.read).toBe(0)
})

test("a lent batch goes back once, and one that was not lent is nobody's business", () => {
  let returned = 0
  const batch = lendBatch([1, 2], () => returned++)
  expect(batch).toEqual([1, 2])
  expect(returned).toBe(0)
  returnBatch(batch)
  returnBatch(batch)
  returnBatch([1, 2])
  expect(returned).toBe(1)
})
