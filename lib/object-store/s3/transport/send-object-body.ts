import type { ClientRequest } from 'node:http'
import { SizeMismatchError } from '../../../errors/index.ts'
import type { ObjectBody } from '../bucket.ts'
import { expiredError, ObjectSourceError } from './wire.ts'

/** Bytes of one write: a buffer of 64 MiB given whole would count as no progress until its last byte is sent. */
const PIECE_BYTES = 1024 * 1024

/**
 * Writes a body as fast as the service accepts it, and ends the request. Returns early, without an error, when the
 * request is over: an answer has arrived, or the call was destroyed.
 *
 * @throws `ObjectSourceError` if the source fails or its length differs from `size`; the request is not ended then.
 */
export async function sendObjectBody(call: ClientRequest, body: ObjectBody, idleMs: number, over: AbortSignal) {
  let sent = 0
  for await (const piece of piecesOf(body)) {
    if (over.aborted || call.destroyed) return
    sent += piece.byteLength
    if (sent > body.size) throw wrongSize(body.size, sent)
    if (!call.write(piece)) await drained(call, idleMs, over)
    if (over.aborted || call.destroyed) return
  }
  if (sent !== body.size) throw wrongSize(body.size, sent)
  call.end()
}

async function* piecesOf(body: ObjectBody): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body.open()) {
      for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES)
    }
  } catch (cause) {
    throw new ObjectSourceError(cause)
  }
}

function wrongSize(expected: number, actual: number): ObjectSourceError {
  return new ObjectSourceError(new SizeMismatchError({ expected, actual, what: 'object' }))
}

function drained(call: ClientRequest, idleMs: number, over: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(() => call.destroy(expiredError('progress of the upload', idleMs)), idleMs)
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
