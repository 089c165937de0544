import type { BodySource } from './body-source.ts'
import { timeoutError } from './network-error.ts'

/** SAFETY: a sender that keeps just above the idle limit would hold a slot for days. */
const MIN_BYTES_PER_SECOND = 1024

/**
 * The bytes of an answer as they come. Ends the socket when left early, when nothing came for `idleMs`, or when less
 * than 1 KiB/s came over that time. Only time spent waiting counts, so a slow consumer is never blamed on the sender.
 */
export async function* readBody(open: () => BodySource, idleMs: number): AsyncGenerator<Uint8Array, void, undefined> {
  const pace = { waiting: true, waitedMs: 0, bytes: 0 }
  const stalled = () => {
    if (pace.waiting) source.fail(timeoutError('byte of the body', idleMs))
  }
  const timer = setTimeout(stalled, idleMs).unref()
  const source = open()
  try {
    for (;;) {
      pace.waiting = true
      const since = performance.now()
      timer.refresh()
      const bytes = await source.take()
      pace.waiting = false
      if (!bytes) return
      pace.waitedMs += performance.now() - since
      pace.bytes += bytes.byteLength
      if (pace.waitedMs >= idleMs) checkPace(pace, idleMs)
      yield bytes
    }
  } finally {
    clearTimeout(timer)
    source.close()
  }
}

function checkPace(pace: { waitedMs: number; bytes: number }, idleMs: number): void {
  if (pace.bytes < (pace.waitedMs / 1000) * MIN_BYTES_PER_SECOND) throw timeoutError('usable pace', idleMs)
  pace.waitedMs = 0
  pace.bytes = 0
}
