import type { WireAnswer } from './transport.ts'

/** Most bytes to read to keep a connection; beyond that a new connection is cheaper. */
const DRAINED_BYTES = 64 * 1024

/** Reads and discards the rest of an answer, so that its connection can be reused. */
export async function drainAnswer(answer: WireAnswer): Promise<void> {
  let bytes = 0
  try {
    for await (const chunk of answer.body) {
      bytes += chunk.byteLength
      if (bytes > DRAINED_BYTES) break
    }
  } catch {
    // A failure here only costs the connection; the caller's next step detects an abort.
  }
}
