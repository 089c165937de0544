import type { ClientRequest } from 'node:http'
import { SizeMismatchError } from '../../errors/index.ts'
import { timeoutError } from './network-error.ts'
import { BodySourceError, type RequestBody } from './transport.ts'

/**
 * Writes a body as fast as the registry accepts it, and ends the request. Returns early, without an error, when the
 * request is over: an answer has arrived, or the call was destroyed.
 *
 * @throws `BodySourceError` if the source fails or its length differs from `size`; the request is not ended then.
 */
export async function sendBody(call: ClientRequest, body: RequestBody, idleMs: number, over: AbortSignal) {
  let sent = 0
  const source = readSource(body)
  try {
    for (;;) {
      const next = await source.next()
      if (over.aborted || call.destroyed) return
      if (next.done) break
      sent += next.value.byteLength
      if (sent > body.size) throw wrongSize(body.size, sent)
      if (!call.write(next.value)) await drained(call, idleMs, over)
      if (over.aborted || call.destroyed) return
    }
  } finally {
    // A source that hangs in `next` must not delay the answer, so the `return` is not awaited.
    source.return().catch(() => {})
  }
  if (sent !== body.size) throw wrongSize(body.size, sent)
  call.end()
}

async function* readSource(body: RequestBody): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body.open()
  } catch (cause) {
    throw new BodySourceError(cause)
  }
}

function wrongSize(expected: number, actual: number): BodySourceError {
  return new BodySourceError(new SizeMismatchError({ expected, actual, what: 'upload' }))
}

function drained(call: ClientRequest, idleMs: number, over: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(() => call.destroy(timeoutError('progress of the upload', idleMs)), idleMs)
    const done = () => {
      clearTimeout(timer)
      call.off('drain', done).off('close', done)
      over.removeEventListener('abort', done)
      resolve()
    }
    call.on('drain', done).on('close', done)
    over.addEventListener('abort', done)
  })
}
