import {
  type FileLender,
  type FileLoan,
  LenderFault,
  MOST_TAKEN,
  type TakenBytes,
  takenBytes,
  type WriterRefusal,
} from '../../../digest/index.ts'
import type { WireAnswer, WireRequest } from '../transport.ts'
import type { AnswerHead } from './blob-messages.ts'
import type { BlobWorker, ThreadClient } from './blob-worker.ts'
import { type OpenedBody, sendLentBody } from './lent-body.ts'
import type { ThreadCall } from './thread-call.ts'

export { addClient, canStartThreads, dropClient, takeThread, threadOf } from './blob-threads.ts'
export { openBody } from './lent-body.ts'

/**
 * Carries out an exchange in a thread: a GET, or a request whose body the thread reads from a file. The thread waits
 * with the body of the answer: the caller reads it as bytes, or lets the thread append it to a file.
 */
export async function exchangeInThread(
  thread: BlobWorker,
  client: ThreadClient,
  { method, url, headers, tls, reach, signal }: WireRequest,
  body?: OpenedBody,
): Promise<WireAnswer> {
  const call = thread.open(client, { method, url: url.href, headers, tls, reach, bodyBytes: body?.size })
  const abort = () => call.stop()
  signal?.addEventListener('abort', abort)
  void call.over.then(() => signal?.removeEventListener('abort', abort))
  const reasonOf = (error: unknown) => (signal?.aborted ? signal.reason : error)
  try {
    const head = await headOf(call, thread, body)
    return {
      status: head.status,
      url,
      headers: head.headers,
      body: bytesOf(call, reasonOf),
      appendTo: lender => appendTo(call, lender, reasonOf),
      cancel: abort,
    }
  } catch (error) {
    call.stop()
    throw reasonOf(error)
  }
}

/** Resolves to the head of the answer, which may arrive before the body is sent. */
async function headOf(call: ThreadCall, thread: BlobWorker, body: OpenedBody | undefined): Promise<AnswerHead> {
  const head = call.head()
  if (!body) return head
  const over = new AbortController()
  try {
    return await Promise.race([head, sendLentBody(call, thread, body, over.signal).then(() => head)])
  } finally {
    over.abort('over')
  }
}

async function* bytesOf(
  call: ThreadCall,
  reasonOf: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let bytes = await call.next(); bytes; bytes = await call.next()) yield bytes
  } catch (error) {
    throw reasonOf(error)
  } finally {
    call.stop()
  }
}

/**
 * Lets the thread append the body to a file. Yields a chunk for the bytes that it has appended; they count when the
 * caller asks for the next one.
 *
 * SAFETY: whatever ends this generator, it ends after the thread has stopped to use the file and its owner has it back.
 */
async function* appendTo(
  call: ThreadCall,
  lender: FileLender,
  reasonOf: (error: unknown) => unknown,
): AsyncGenerator<TakenBytes, void, undefined> {
  const loan = await lend(call, lender)
  const back = new Promise<WriterRefusal | undefined>((resolve, reject) => {
    call.append(loan.file, returned => void loan.giveBack(returned).then(resolve, reject))
  })
  let counted = loan.file.position
  try {
    for (;;) {
      const position = await call.beyond(counted)
      if (position === counted) break
      for (let length = 0; counted < position; counted += length) {
        length = Math.min(MOST_TAKEN, position - counted)
        yield takenBytes(length)
      }
      call.counted(counted)
    }
  } finally {
    call.stop()
    await back
  }
  const refusal = await back
  if (call.error && reasonOf(call.error) !== call.error) throw reasonOf(call.error)
  if (refusal) throw new LenderFault(refusal.reason)
  if (call.error) throw call.error
}

async function lend(call: ThreadCall, lender: FileLender): Promise<FileLoan> {
  try {
    return await lender.lend({ progress: () => call.progress(), stop: () => call.stop() })
  } catch (reason) {
    call.stop()
    throw new LenderFault(reason)
  }
}
