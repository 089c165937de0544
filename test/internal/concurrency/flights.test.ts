import { expect, test } from 'vitest'
import { LeaderFlight } from '../../../lib/internal/concurrency/leader-flight.ts'
import { SingleFlight } from '../../../lib/internal/concurrency/single-flight.ts'

/** Work that ends when the test says so. */
function openWork<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject, starts: 0 }
}

test('SingleFlight runs work once for all callers of a key, and again after it has settled', async () => {
  const flight = new SingleFlight<string>()
  const work = openWork<string>()
  const run = () =>
    flight.run(
      'key',
      () => {
        work.starts++
        return work.promise
      },
      undefined,
    )
  const both = Promise.all([run(), run()])
  work.resolve('result')
  expect(await both).toEqual(['result', 'result'])
  expect(work.starts).toBe(1)
  await run()
  expect(work.starts).toBe(2)
})

test('SingleFlight lets callers share a failure, and starts anew for the next', async () => {
  const flight = new SingleFlight<string>()
  const failing = () => flight.run('key', () => Promise.reject(new Error('failed')), undefined)
  const results = await Promise.allSettled([failing(), failing()])
  expect(results.map(result => result.status)).toEqual(['rejected', 'rejected'])
  expect(await flight.run('key', async () => 'result', undefined)).toBe('result')
})

test('SingleFlight aborts its work when the last caller has left, not before', async () => {
  const flight = new SingleFlight<string>()
  const [first, second] = [new AbortController(), new AbortController()]
  let given!: AbortSignal
  const work = (signal: AbortSignal) => {
    given = signal
    return new Promise<string>(() => {})
  }
  const callers = [flight.run('key', work, first.signal), flight.run('key', work, second.signal)]
  first.abort(new Error('first left'))
  await expect(callers[0]).rejects.toThrow('first left')
  expect(given.aborted).toBe(false)
  second.abort(new Error('second left'))
  await expect(callers[1]).rejects.toThrow('second left')
  expect(given.aborted).toBe(true)
})

test('LeaderFlight does the work once for callers that ask at the same time', async () => {
  const flight = new LeaderFlight<string, void>()
  const work = openWork<void>()
  const leader = flight.run('key', () => work.promise)
  const follower = flight.run('key', () => Promise.reject(new Error('must not run')))
  expect(flight.has('key')).toBe(true)
  work.resolve()
  expect(await Promise.all([leader, follower])).toEqual([true, false])
  expect(flight.has('key')).toBe(false)
})

test('LeaderFlight makes the next caller the leader when the leader fails', async () => {
  const flight = new LeaderFlight<string, void>()
  const work = openWork<void>()
  const leader = flight.run('key', () => work.promise)
  const next = flight.run('key', async () => {})
  work.reject(new Error('failed'))
  await expect(leader).rejects.toThrow('failed')
  expect(await next).toBe(true)
})

test('LeaderFlight lets an aborted follower go with its reason', async () => {
  const flight = new LeaderFlight<string, void>()
  void flight.run('key', () => new Promise(() => {}))
  const stop = new AbortController()
  const follower = flight.run('key', async () => {}, stop.signal)
  stop.abort(new Error('stopped'))
  await expect(follower).rejects.toThrow('stopped')
})
