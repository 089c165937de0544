import { FormatError, LayerStoreError, RegistryError } from '../../errors/index.ts'
import { Fault, type FaultEntry } from '../fault.ts'

/**
 * Fault for a failure of the upstream registry. SAFETY: the error may contain addresses and credentials' names of the
 * upstream registry; the client gets a fixed text, the log gets the cause.
 */
export function upstreamFault(error: unknown): unknown {
  if (!LayerStoreError.is(error) || error.code.startsWith('ERR_STORE_')) return error
  const fault = (status: number, code: FaultEntry['code'], message: string, headers: Record<string, string> = {}) =>
    new Fault(status, { code, message: `the upstream registry ${message}` }, headers, { cause: error })
  switch (error.code) {
    case 'ERR_MANIFEST_NOT_FOUND':
      return fault(404, 'MANIFEST_UNKNOWN', 'has no such manifest')
    case 'ERR_REMOTE_BLOB_NOT_FOUND':
      return fault(404, 'BLOB_UNKNOWN', 'has no such blob')
    // 403, not 401: a log-in at this server would not change the answer of the upstream registry.
    case 'ERR_UNAUTHORIZED':
      return fault(403, 'DENIED', 'denies access to this server, or has no such repository')
    case 'ERR_RATE_LIMITED':
      return fault(
        429,
        'TOOMANYREQUESTS',
        'limits the rate of requests; retry later',
        retryAfter(error as RegistryError),
      )
    case 'ERR_POLICY_REFUSED':
      return new Fault(
        403,
        { code: 'DENIED', message: 'the policy of this server does not allow this image' },
        {},
        { cause: error },
      )
    default:
      return error instanceof FormatError
        ? fault(502, 'UNAVAILABLE', `sent an invalid document (${error.code})`)
        : fault(502, 'UNAVAILABLE', `failed (${error.code})`)
  }
}

function retryAfter({ retryAfterMs }: RegistryError): Record<string, string> {
  return retryAfterMs === undefined ? {} : { 'Retry-After': `${Math.ceil(retryAfterMs / 1000)}` }
}

/** Whether the policy of the server refuses an image. */
export function isPolicyRefusal(error: unknown): boolean {
  return LayerStoreError.is(error) && error.code === 'ERR_POLICY_REFUSED'
}

/** Whether the upstream registry has answered that the content does not exist; any other failure leaves that open. */
export function isUpstreamAbsence(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false
  return error.code === 'ERR_MANIFEST_NOT_FOUND' || error.errors.some(({ code }) => code === 'NAME_UNKNOWN')
}

/**
 * Throws a fault if no further fetch may start. SAFETY: a fetch continues when its client disconnects. Without a bound,
 * clients that request and leave would queue fetches without end.
 */
export function assertMayFetch(running: number, maxFetches: number): void {
  if (running < maxFetches) return
  const tooMany = {
    code: 'TOOMANYREQUESTS',
    message: 'too many fetches from the upstream registry are running',
  } as const
  throw new Fault(429, tooMany, { 'Retry-After': '10' })
}
