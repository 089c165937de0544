import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ElasticSemaphore } from '../../../lib/internal/concurrency/elastic-semaphore.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a caller beyond the limit waits until a permit is released', async () => {
  const semaphore = new ElasticSemaphore(1)
  const release = await semaphore.acquire()
  const second = semaphore.acquire()
  expect(semaphore.held).toBe(1)
  release()
  ;(await second)()
  expect([semaphore.held, vi.getTimerCount()]).toEqual([0, 0])
})

test('the limit doubles when no permit is released for a second, and falls back afterwards', async () => {
  const semaphore = new ElasticSemaphore(1)
  const first = await semaphore.acquire()
  const second = semaphore.acquire()
  const third = semaphore.acquire()
  await vi.advanceTimersByTimeAsync(999)
  expect(semaphore.held).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(semaphore.held).toBe(2)
  await vi.advanceTimersByTimeAsync(1000)
  expect(semaphore.held).toBe(3)
  for (const release of [first, await second, await third]) release()
  await semaphore.acquire()
  let granted = false
  void semaphore.acquire().then(() => {
    granted = true
  })
  await vi.advanceTimersByTimeAsync(999)
  expect(granted).toBe(false)
})

test('an aborted waiter rejects with the reason and leaves no timer', async () => {
  const semaphore = new ElasticSemaphore(1)
  await semaphore.acquire()
  const stop = new AbortController()
  const waiting = semaphore.acquire(stop.signal)
  stop.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
  expect(vi.getTimerCount()).toBe(0)
})

test('a signal that has fired before takes no permit', async () => {
  const semaphore = new ElasticSemaphore(1)
  await expect(semaphore.acquire(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
  expect(semaphore.held).toBe(0)
})
