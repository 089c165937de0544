import { RegistryError, type RegistryErrorCode } from '../../errors/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { parseRetryAfter } from './retry-after.ts'
import { readWireErrors } from './wire-errors.ts'

const RETRYABLE = [408, 429, 499, 500, 502, 503, 504, 522]

/**
 * Builds the error for an answer that refuses a request. Reads the answer's body.
 *
 * @param notFound - Code for status 404; only the caller knows what is missing.
 */
export async function answerError(
  answer: WireAnswer,
  method: string,
  notFound: RegistryErrorCode = 'ERR_REGISTRY',
): Promise<RegistryError> {
  const { status } = answer
  const errors = await readWireErrors(answer)
  const limited = status === 429 || errors.some(error => error.code === 'TOOMANYREQUESTS')
  const details = {
    method,
    url: shownUrl(answer.url),
    status,
    errors,
    retryable: limited || RETRYABLE.includes(status),
    retryAfterMs: parseRetryAfter(answer.headers['retry-after']),
  }
  if (limited) {
    const { retryAfterMs } = details
    const when = retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / 1000)} s`
    return new RegistryError('ERR_RATE_LIMITED', `registry limits requests (${status})${when}`, details)
  }
  if (status === 401) {
    return new RegistryError('ERR_UNAUTHORIZED', `registry denies access: no valid login (${status})`, details)
  }
  if (status === 403) {
    return new RegistryError('ERR_UNAUTHORIZED', `registry denies access: not allowed (${status})`, details)
  }
  if (status === 404) return new RegistryError(notFound, 'registry does not have it (404)', details)
  if (status < 400) return new RegistryError('ERR_PROTOCOL', `unexpected answer (${status})`, details)
  const what = status >= 500 ? 'registry failed' : 'registry refused the request'
  return new RegistryError('ERR_REGISTRY', `${what} (${status})`, details)
}
