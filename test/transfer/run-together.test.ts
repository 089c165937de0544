import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runTogether } from '../../lib/transfer/running/run-together.ts'

test('every act runs, and no more in parallel than the limit', async () => {
  let running = 0
  let most = 0
  const seen: number[] = []
  await runTogether([1, 2, 3, 4, 5, 6, 7], 3, undefined, async item => {
    most = Math.max(most, ++running)
    await sleep(5)
    running--
    seen.push(item)
  })
  expect(most).toBe(3)
  expect(seen.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('one of several slots takes small items from the end, so that they need not wait for all large ones', async () => {
  const started: number[] = []
  const ends: (() => void)[] = []
  const work = runTogether([9, 8, 7, 3, 2, 1], 3, undefined, async item => {
    started.push(item)
    // The large ones wait for the small ones.
    if (item > 5) await new Promise<void>(resolve => ends.push(resolve))
    else if (item === 3) for (const end of ends) end()
  })
  await expect.poll(() => started).toContain(3)
  expect(started.slice(0, 5)).toEqual([9, 1, 8, 2, 3])
  await expect.poll(() => started).toHaveLength(6)
  for (const end of ends) end()
  await work
  const alone: number[] = []
  await runTogether([3, 2, 1], 1, undefined, async item => void alone.push(item))
  expect(alone).toEqual([3, 2, 1])
})

test('the first failure aborts the other acts, starts no more, and is thrown when all have stopped', async () => {
  const started: number[] = []
  let resting = 0
  const work = runTogether([1, 2, 3, 4, 5], 2, undefined, async (item, signal) => {
    started.push(item)
    if (item === 5) throw new Error('second failed')
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    await sleep(10)
    resting++
    throw signal.reason
  })
  await expect(work).rejects.toThrow('second failed')
  expect(started).toEqual([1, 5])
  expect(resting).toBe(1)
})

test('an abort is rethrown with its reason', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const work = runTogether([1], 1, stop.signal, (_, signal) => sleep(10_000, undefined, { signal }))
  stop.abort(reason)
  await expect(work).rejects.toBe(reason)
  await expect(runTogether([1], 1, stop.signal, async () => {})).rejects.toBe(reason)
})
