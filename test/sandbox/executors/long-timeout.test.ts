import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { longTimeout } from '../../../lib/sandbox/executors/process/long-timeout.ts'
import { runProgram } from '../../../lib/sandbox/executors/process/run-program.ts'

const DAY_MS = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test.each([1, 24, 25, 60])('a timeout of %i days fires then, and once', days => {
  const act = vi.fn()
  longTimeout(act, days * DAY_MS)
  vi.advanceTimersByTime(days * DAY_MS - 1)
  expect(act).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(act).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('a cancelled timeout leaves no timer, in its first part or a later one', () => {
  for (const after of [0, 30 * DAY_MS]) {
    const act = vi.fn()
    const cancel = longTimeout(act, 60 * DAY_MS)
    vi.advanceTimersByTime(after)
    cancel()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(90 * DAY_MS)
    expect(act).not.toHaveBeenCalled()
  }
})

test('a limit of 30 days does not kill a program at once', async () => {
  vi.useRealTimers()
  const run = runProgram('/bin/sh', ['-c', 'sleep 0.1; exit 3'], { seconds: (30 * DAY_MS) / 1000 })
  expect(await run).toEqual({ code: 3 })
})
