import { expect, test } from 'vitest'
import { Semaphore } from '../../../lib/internal/concurrency/semaphore.ts'

const settle = () => new Promise<void>(resolve => setImmediate(resolve))

test('a permit that is held makes the next caller wait until it is released', async () => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  let granted = false
  const second = semaphore.acquire().then(releaseSecond => {
    granted = true
    return releaseSecond
  })
  await settle()
  expect([granted, semaphore.hasRoom]).toEqual([false, false])
  release()
  const releaseSecond = await second
  releaseSecond()
  expect(semaphore.hasRoom).toBe(true)
})

test('waiters get their permits in the order in which they asked, also behind one that asked for many', async () => {
  const semaphore = new Semaphore(10)
  const release = await semaphore.acquire(undefined, 6)
  const order: string[] = []
  const large = semaphore.acquire(undefined, 8).then(free => {
    order.push('large')
    return free
  })
  const small = semaphore.acquire(undefined, 1).then(() => order.push('small'))
  await settle()
  expect(order).toEqual([])
  release()
  await Promise.all([large, small])
  expect(order).toEqual(['large', 'small'])
})

test('a caller that asks for more permits than there are gets all of them', async () => {
  const semaphore = new Semaphore(3)
  const release = await semaphore.acquire(undefined, 100)
  expect(semaphore.hasRoom).toBe(false)
  release()
  expect(semaphore.hasRoom).toBe(true)
})

test('a second call of the release function changes nothing', async () => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  release()
  release()
  await semaphore.acquire()
  expect(semaphore.hasRoom).toBe(false)
})

test('an aborted waiter rejects with the reason and lets the waiters behind it pass', async () => {
  const semaphore = new Semaphore(2)
  await semaphore.acquire()
  const stop = new AbortController()
  const large = semaphore.acquire(stop.signal, 2)
  const small = semaphore.acquire()
  stop.abort(new Error('stopped'))
  await expect(large).rejects.toThrow('stopped')
  await expect(small).resolves.toBeTypeOf('function')
})

test('permits that are granted at the moment of an abort are not lost', async () => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const stop = new AbortController()
  const waiting = semaphore.acquire(stop.signal)
  await settle()
  stop.abort(new Error('stopped'))
  release()
  await expect(waiting).rejects.toThrow('stopped')
  expect(semaphore.hasRoom).toBe(true)
})

test('a signal that has fired before takes no permit', async () => {
  const semaphore = new Semaphore(1)
  await expect(semaphore.acquire(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
  expect(semaphore.hasRoom).toBe(true)
})
