import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { sleep } from '../../../lib/internal/concurrency/sleep.ts'

test('a sleep that is aborted rejects with the reason itself and leaves no listener', async () => {
  const stop = new AbortController()
  const sleeping = sleep(60_000, stop.signal)
  const reason = { code: 'stopped' }
  stop.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})

test('a sleep whose signal has fired before rejects with the reason', async () => {
  await expect(sleep(60_000, AbortSignal.abort('stopped'))).rejects.toBe('stopped')
})

test('a sleep ends after its time', async () => {
  await expect(sleep(1, new AbortController().signal)).resolves.toBeUndefined()
})
