import { timeoutError } from '../../internal/http/timeout-error.ts'
import type { BodySource } from './body-source.ts'

/**
 * SAFETY: a server that sends one byte just before each idle limit would occupy a download permit for days. This
 * minimum rate ends such a transfer.
 */
const MIN_BYTES_PER_SECOND = 1024

/**
 * Streams the bytes of an answer. Closes the source when the caller leaves the loop, when no byte arrived for `idleMs`,
 * or when less than 1 KiB/s arrived over that time. Only time spent waiting counts, so a slow consumer never causes a
 * timeout.
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
