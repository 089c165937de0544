import { expect, test } from 'vitest'
import { HasherError, RegistryError } from '../../lib/errors/index.ts'
import { receiveError, sendError } from '../../lib/registry/transport/threads/sent-error.ts'

/** What a message to another thread leaves of an error. */
const sent = (error: unknown) => receiveError(structuredClone(sendError(error)))

test('an error of the registry crosses threads with code, place and cause', () => {
  const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' })
  const place = { method: 'GET', url: 'http://host/v2/', status: 200, retryable: true }
  const error = new RegistryError('ERR_NETWORK', 'cut', place, { cause })
  const received = sent(error)
  expect(received).toBeInstanceOf(RegistryError)
  expect(received).toMatchObject({ code: 'ERR_NETWORK', message: error.message, ...place })
  expect(received.cause).toMatchObject({ message: 'reset', code: 'ECONNRESET', syscall: 'read' })
})

test('any other error of a thread is typed too, and keeps what was wrong as its cause', () => {
  const received = sent(Object.assign(new TypeError('no such thing'), { code: 'ERR_X' }))
  expect(received).toBeInstanceOf(HasherError)
  expect(received).toMatchObject({ code: 'ERR_HASHER', message: 'a blob thread failed: no such thing' })
  expect(received.cause).toMatchObject({ message: 'no such thing', code: 'ERR_X' })
})
