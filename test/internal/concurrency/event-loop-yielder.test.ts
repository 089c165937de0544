import { afterEach, expect, test, vi } from 'vitest'
import { EventLoopYielder } from '../../../lib/internal/concurrency/event-loop-yielder.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('a loop should yield after 8 ms, and has a new slice after it yielded', async () => {
  let nowMs = 1000
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  const yielder = new EventLoopYielder()
  nowMs += 7
  expect(yielder.shouldYield()).toBe(false)
  nowMs += 1
  expect(yielder.shouldYield()).toBe(true)
  await yielder.yieldIfDue()
  expect(yielder.shouldYield()).toBe(false)
})
