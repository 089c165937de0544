import type { IncomingMessage } from 'node:http'
import { timeoutError } from '../../../internal/http/timeout-error.ts'

/** SAFETY: one byte just before each idle limit would hold a request for days; this rate ends such a transfer. */
const MIN_BYTES_PER_SECOND = 1024

/**
 * Streams the bytes of an answer. Rejects if no byte arrived for `idleMs`, or less than 1 KiB/s over that time. Only
 * time spent waiting counts, so a slow consumer causes no timeout. Leaving the loop closes the connection.
 */
export async function* readAnswerBody(
  message: IncomingMessage,
  idleMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = message[Symbol.asyncIterator]() as AsyncIterableIterator<Uint8Array>
  let [waitedMs, bytes] = [0, 0]
  try {
    for (;;) {
      const since = performance.now()
      const timer = setTimeout(() => message.destroy(timeoutError('byte of the body', idleMs)), idleMs)
      const next = await chunks.next().finally(() => clearTimeout(timer))
      if (next.done) return
      waitedMs += performance.now() - since
      bytes += next.value.byteLength
      if (waitedMs >= idleMs) {
        if (bytes < (waitedMs / 1000) * MIN_BYTES_PER_SECOND) throw timeoutError('usable pace', idleMs)
        waitedMs = 0
        bytes = 0
      }
      yield next.value
    }
  } finally {
    if (!message.readableEnded) message.destroy()
  }
}
