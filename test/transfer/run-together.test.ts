import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runTogether } from '../../lib/transfer/run-together.ts'

test('no more acts run at once than allowed, and all of them run', async () => {
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

test('the first failure stops the others, starts no more, and is thrown when all have come to rest', async () => {
  const started: number[] = []
  let resting = 0
  const work = runTogether([1, 2, 3, 4, 5], 2, undefined, async (item, signal) => {
    started.push(item)
    if (item === 2) throw new Error('second failed')
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    await sleep(10)
    resting++
    throw signal.reason
  })
  await expect(work).rejects.toThrow('second failed')
  expect(started).toEqual([1, 2])
  expect(resting).toBe(1)
})

test('an abort is rethrown as the reason that was given', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const work = runTogether([1], 1, stop.signal, (_, signal) => sleep(10_000, undefined, { signal }))
  stop.abort(reason)
  await expect(work).rejects.toBe(reason)
  await expect(runTogether([1], 1, stop.signal, async () => {})).rejects.toBe(reason)
})
