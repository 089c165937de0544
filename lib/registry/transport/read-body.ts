import type { IncomingMessage } from 'node:http'
import { BodyInbox } from './body-inbox.ts'
import { timeoutError } from './network-error.ts'

/** SAFETY: a sender that keeps just above the idle limit would hold a slot for days. */
const MIN_BYTES_PER_SECOND = 1024

/**
 * The bytes of an answer as they come. Ends the socket when left early, when nothing came for `idleMs`, or when less
 * than 1 KiB/s came over that time. Only time spent waiting counts, so a slow consumer is never blamed on the sender.
 */
export async function* readBody(message: IncomingMessage, idleMs: number): AsyncGenerator<Uint8Array, void, undefined> {
  const pace = { waiting: true, waitedMs: 0, bytes: 0 }
  const stalled = () => {
    if (pace.waiting) message.destroy(timeoutError('byte of the body', idleMs))
  }
  const timer = setTimeout(stalled, idleMs).unref()
  const inbox = new BodyInbox(message)
  try {
    for (;;) {
      pace.waiting = true
      const since = performance.now()
      timer.refresh()
      const bytes = await inbox.take()
      pace.waiting = false
      if (!bytes) return
      pace.waitedMs += performance.now() - since
      pace.bytes += bytes.byteLength
      if (pace.waitedMs >= idleMs) checkPace(pace, idleMs)
      yield bytes
    }
  } finally {
    clearTimeout(timer)
    if (!message.readableEnded) message.destroy()
  }
}

function checkPace(pace: { waitedMs: number; bytes: number }, idleMs: number): void {
  if (pace.bytes < (pace.waitedMs / 1000) * MIN_BYTES_PER_SECOND) throw timeoutError('usable pace', idleMs)
  pace.waitedMs = 0
  pace.bytes = 0
}
