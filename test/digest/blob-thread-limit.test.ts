import { afterEach, expect, test } from 'vitest'
import { blobThreadLimit, setHashWorkers } from '../../lib/digest/index.ts'
import { blobThreadsFor, forceBlobThreads } from '../../lib/digest/worker/hash-workers.ts'

afterEach(() => {
  forceBlobThreads(undefined)
  setHashWorkers(1)
})

test.each([
  [1, 0],
  [2, 2],
  [3, 3],
  [8, 8],
  [64, 8],
])('on %i processors, %i threads take long blobs', (processors, threads) => {
  expect(blobThreadsFor(processors)).toBe(threads)
})

test('a caller may choose fewer threads, and never gets more than fit the processors', () => {
  setHashWorkers(64)
  const fitting = blobThreadLimit()
  forceBlobThreads(4)
  expect(blobThreadLimit()).toBe(4)
  setHashWorkers(2)
  expect(blobThreadLimit()).toBe(2)
  expect(blobThreadLimit(4)).toBe(2)
  expect(blobThreadLimit(5)).toBe(0)
  setHashWorkers(0)
  expect(blobThreadLimit()).toBe(0)
  forceBlobThreads(undefined)
  setHashWorkers(64)
  expect(blobThreadLimit()).toBe(fitting)
})
