import type { ClientRequest } from 'node:http'
import { RegistryError } from '../../errors/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'

/** A registry that says `102 Processing` every few seconds while it hashes a blob stays below this. */
const MOST_INTERIM_ANSWERS = 100

/**
 * Ends a call that gets interim answers (1xx) without end.
 *
 * SAFETY: node:http passes over them, and only the time for the answer would end that.
 */
export function boundInterimAnswers(call: ClientRequest, { method, url }: { method: string; url: URL }): void {
  let count = 0
  call.on('information', () => {
    if (++count !== MOST_INTERIM_ANSWERS + 1) return
    const details = { method, url: shownUrl(url) }
    call.destroy(new RegistryError('ERR_PROTOCOL', `more than ${MOST_INTERIM_ANSWERS} interim answers (1xx)`, details))
  })
}
