import { expect, test } from 'vitest'
import { KeyedMutex } from '../../../lib/internal/concurrency/keyed-mutex.ts'

test('holders of one key follow each other in the order in which they asked', async () => {
  const mutex = new KeyedMutex()
  const order: string[] = []
  const act = (name: string) =>
    mutex.runExclusive('key', async () => {
      order.push(`${name} begins`)
      await Promise.resolve()
      order.push(`${name} ends`)
    })
  await Promise.all([act('a'), act('b')])
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  expect(mutex.isHeld('key')).toBe(false)
})

test('different keys are held side by side', async () => {
  const mutex = new KeyedMutex()
  await mutex.acquire('a')
  await expect(mutex.acquire('b')).resolves.toBeTypeOf('function')
})

test('tryAcquire returns undefined for a key that is held', () => {
  const mutex = new KeyedMutex()
  const release = mutex.tryAcquire('key')
  expect(mutex.tryAcquire('key')).toBeUndefined()
  release?.()
  release?.()
  expect(mutex.tryAcquire('key')).toBeTypeOf('function')
})

test('a failed act releases the key', async () => {
  const mutex = new KeyedMutex()
  const failed = mutex.runExclusive('key', () => Promise.reject(new Error('failed')))
  await expect(failed).rejects.toThrow('failed')
  expect(mutex.isHeld('key')).toBe(false)
})

test('an aborted waiter rejects with the reason, and the next one gets the key', async () => {
  const mutex = new KeyedMutex()
  const release = await mutex.acquire('key')
  const stop = new AbortController()
  const aborted = mutex.acquire('key', stop.signal)
  const next = mutex.acquire('key')
  stop.abort(new Error('stopped'))
  await expect(aborted).rejects.toThrow('stopped')
  release()
  ;(await next)()
  expect(mutex.isHeld('key')).toBe(false)
})

test('a signal that has fired before acquires nothing', async () => {
  const mutex = new KeyedMutex()
  await expect(mutex.acquire('key', AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
  expect(mutex.isHeld('key')).toBe(false)
})
