import { Writable } from 'node:stream'
import { LentBytes, type SourceLoan } from '../../../digest/index.ts'
import { FormatError } from '../../../errors/index.ts'
import { BodySourceError, sendBody } from '../../../internal/http/send-body.ts'
import type { RequestBody } from '../transport.ts'
import type { TakenPiece } from './blob-messages.ts'
import type { BlobWorker } from './blob-worker.ts'
import { receiveFault } from './sent-error.ts'
import type { ThreadCall } from './thread-call.ts'

/** The longest time of a timer: the thread watches the progress of the body. */
const FOREVER_MS = 2 ** 31 - 1

/** A body that has been opened, to see what its chunks are. */
export interface OpenedBody {
  readonly size: number
  /** Loan of the file that has the bytes; `undefined` if the chunks are bytes, for the calling thread to send. */
  readonly loan: SourceLoan | undefined
  /** The chunks, once. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>
  /** Closes the source, if the chunks were not read to their end. */
  close(): void
}

/**
 * Opens a body for a thread.
 *
 * @throws `BodySourceError` if the source fails.
 */
export async function openBody({ size, openLent }: RequestBody, signal: AbortSignal | undefined): Promise<OpenedBody> {
  const source = openLent!()[Symbol.asyncIterator]()
  const close = () => void source.return?.().catch(() => undefined)
  try {
    const first = await source.next()
    const loan = first.value instanceof LentBytes ? first.value.loan : undefined
    return { size, loan, chunks: () => chunksOf(first, source, loan !== undefined), close }
  } catch (cause) {
    signal?.throwIfAborted()
    throw new BodySourceError(cause)
  }
}

async function* chunksOf(
  first: IteratorResult<Uint8Array>,
  source: AsyncIterator<Uint8Array>,
  isLent: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let next = first; !next.done; next = await source.next()) {
    // SAFETY: lent bytes are zeros in this thread.
    if (next.value instanceof LentBytes !== isLent) {
      throw new FormatError('ERR_INVALID_ARGUMENT', 'a source has both bytes and lent bytes')
    }
    yield next.value
  }
}

/**
 * Lets a thread send a body. Resolves when the thread has read all of it, or when `over` is aborted.
 *
 * @throws `BodySourceError` if the source fails.
 */
export function sendLentBody(
  call: ThreadCall,
  thread: BlobWorker,
  { size, chunks }: OpenedBody,
  over: AbortSignal,
): Promise<void> {
  // One chunk at a time: the thread sends the one before meanwhile.
  const outlet = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (chunk: LentBytes, _, done) => void sendChunk(call, thread, chunk).then(() => done()),
    final(done) {
      call.complete()
      done()
    },
  })
  void call.over.then(() => outlet.destroy())
  return sendBody(outlet, { size, open: chunks }, { what: 'upload', idleMs: FOREVER_MS, over })
}

/** Resolves when the thread has read the bytes. A fault goes to their loan, and its owner throws an error for it. */
async function sendChunk(call: ThreadCall, thread: BlobWorker, { loan, position, byteLength }: LentBytes) {
  const taken = await call.send({ source: thread.lend(loan), position, length: byteLength })
  if (taken?.isProven) loan.prove()
  if (taken?.fault) loan.fail(faultOf(taken.fault))
}

function faultOf(fault: NonNullable<TakenPiece['fault']>) {
  return fault.type === 'system' ? { type: fault.type, error: receiveFault(fault.fault) } : fault
}
