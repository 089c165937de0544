import type { ClientRequest } from 'node:http'
import { RegistryError } from '../../errors/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'

/** Far above honest use: a registry may send `102 Processing` every few seconds while it hashes a blob. */
const MOST_INTERIM_ANSWERS = 100

/**
 * Ends a request that receives too many interim answers (1xx).
 *
 * SAFETY: node:http discards interim answers and waits for the final one. A registry could send them without end and
 * occupy the connection until the time limit for the answer; the count ends the request earlier.
 */
export function boundInterimAnswers(call: ClientRequest, { method, url }: { method: string; url: URL }): void {
  let count = 0
  call.on('information', () => {
    if (++count !== MOST_INTERIM_ANSWERS + 1) return
    const details = { method, url: shownUrl(url) }
    call.destroy(new RegistryError('ERR_PROTOCOL', `more than ${MOST_INTERIM_ANSWERS} interim answers (1xx)`, details))
  })
}
