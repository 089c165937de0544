import type { Writable } from 'node:stream'

/** Far above honest use: a server may send `102 Processing` every few seconds while it hashes a blob. */
const MOST_INTERIM_ANSWERS = 100

/**
 * Ends a request that receives too many interim answers (1xx).
 *
 * SAFETY: node:http discards interim answers and waits for the final one. A server could send them without end and
 * occupy the connection until the time limit for the answer; the count ends the request earlier.
 *
 * @param errorOf - Builds the error that the call is destroyed with.
 */
export function boundInterimAnswers(call: Writable, errorOf: (message: string) => Error): void {
  let count = 0
  call.on('information', () => {
    if (++count === MOST_INTERIM_ANSWERS + 1) {
      call.destroy(errorOf(`more than ${MOST_INTERIM_ANSWERS} interim answers (1xx)`))
    }
  })
}
