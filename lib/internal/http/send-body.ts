import type { Writable } from 'node:stream'
import { SizeMismatchError } from '../../errors/index.ts'
import { timeoutError } from './timeout-error.ts'

/** Bytes of one write: a buffer of 64 MiB given whole would count as no progress until its last byte is sent. */
const PIECE_BYTES = 1024 * 1024

/** Body whose length is known. */
export interface SizedBody {
  readonly size: number
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** The memory of a chunk is used again once the next one is asked for. @defaultValue `false` */
  readonly reusesMemory?: boolean | undefined
}

/** Conditions of one sent body. */
export interface BodySending {
  /** The bytes as an error names them, such as `upload`. */
  readonly what: string
  /** Longest time without progress, in milliseconds. */
  readonly idleMs: number
  /** Aborted when the exchange is over. */
  readonly over: AbortSignal
}

/** Reports that the source of a request body failed; the server is not the cause. */
export class BodySourceError extends Error {
  constructor(cause: unknown) {
    super('the bytes to be sent could not be read', { cause })
  }
}

/**
 * Writes a body as fast as the server accepts it, and ends the request. Returns early, without an error, when the
 * request is over: an answer has arrived, or the call was destroyed.
 *
 * @throws `BodySourceError` if the source fails or its length differs from `size`; the request is not ended then.
 */
export async function sendBody(call: Writable, body: SizedBody, { what, idleMs, over }: BodySending): Promise<void> {
  let sent = 0
  const pieces = piecesOf(body)
  try {
    for (;;) {
      const next = await pieces.next()
      if (over.aborted || call.destroyed) return
      if (next.done) break
      sent += next.value.byteLength
      if (sent > body.size) throw wrongSize(what, body.size, sent)
      const bytes = next.value
      // SAFETY: the call keeps the memory of written bytes until the system has them, even if it takes more before.
      if (body.reusesMemory) await progress(call, { idleMs, over }, done => call.write(bytes, done))
      else if (!call.write(bytes)) await progress(call, { idleMs, over }, done => call.on('drain', done))
      if (over.aborted || call.destroyed) return
    }
  } finally {
    // The error must not wait for a source that hangs while it closes.
    pieces.return().catch(() => {})
  }
  if (sent !== body.size) throw wrongSize(what, body.size, sent)
  call.end()
}

async function* piecesOf(body: SizedBody): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body.open()) {
      for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES)
    }
  } catch (cause) {
    throw new BodySourceError(cause)
  }
}

function wrongSize(what: string, expected: number, actual: number): BodySourceError {
  return new BodySourceError(new SizeMismatchError({ expected, actual, what }))
}

/** Waits for progress: for the call of `done`, which `begin` arranges. Ends early when the request is over. */
function progress(
  call: Writable,
  { idleMs, over }: Pick<BodySending, 'idleMs' | 'over'>,
  begin: (done: () => void) => void,
): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(() => call.destroy(timeoutError('progress of the upload', idleMs)), idleMs)
    const done = () => {
      clearTimeout(timer)
      call.off('drain', done).off('close', done)
      over.removeEventListener('abort', done)
      resolve()
    }
    call.on('close', done)
    over.addEventListener('abort', done)
    begin(done)
  })
}
