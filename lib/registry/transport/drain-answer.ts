import type { WireAnswer } from './transport.ts'

/** More than this is not worth reading for the sake of keeping a connection. */
const DRAINED_BYTES = 64 * 1024

/** Reads away the rest of an answer that has been judged already, so that its connection can be used again. */
export async function drainAnswer(answer: WireAnswer): Promise<void> {
  let bytes = 0
  try {
    for await (const chunk of answer.body) {
      bytes += chunk.byteLength
      if (bytes > DRAINED_BYTES) break
    }
  } catch {
    // What breaks here can only cost the connection; an abort is noticed by the next step of the caller.
  }
}
