import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { abortable } from '../../lib/internal/abort.ts'
import { isErrno } from '../../lib/internal/errno.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

test('without a signal it is the work itself', async () => {
  expect(await abortable(Promise.resolve(5), undefined)).toBe(5)
})

test('the reason of the signal is rethrown as it is, even if the work never ends', async () => {
  const controller = new AbortController()
  const reason = { not: 'even an error' }
  const never = abortable(new Promise(() => {}), controller.signal)
  controller.abort(reason)
  expect(await thrownBy(() => never)).toBe(reason)
})

test('a signal that has fired already stops the work at once', async () => {
  const reason = new Error('too late')
  expect(await thrownBy(() => abortable(Promise.resolve(5), AbortSignal.abort(reason)))).toBe(reason)
})

test('work that fails after the signal has fired causes no unhandled rejection', async () => {
  const unhandled: unknown[] = []
  const listen = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', listen)
  try {
    const fail = (async () => {
      await new Promise(resolve => setImmediate(resolve))
      throw new Error('late failure')
    })()
    await thrownBy(() => abortable(fail, AbortSignal.abort()))
    for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', listen)
  }
})

test('results and failures of the work come through, and no listener stays behind', async () => {
  const { signal } = new AbortController()
  expect(await abortable(Promise.resolve(5), signal)).toBe(5)
  const failure = new Error('failed')
  expect(await thrownBy(() => abortable(Promise.reject(failure), signal))).toBe(failure)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('isErrno asks for the names it is given and no others', () => {
  const error = Object.assign(new Error('x'), { code: 'ENOENT' })
  expect([isErrno(error, 'ENOENT'), isErrno(error, 'EIO', 'ENOENT'), isErrno(error, 'EIO')]).toEqual([
    true,
    true,
    false,
  ])
  expect([isErrno(new Error('ENOENT'), 'ENOENT'), isErrno({ code: 'ENOENT' }, 'ENOENT')]).toEqual([false, false])
})
