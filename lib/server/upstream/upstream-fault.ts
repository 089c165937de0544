import { FormatError, LayerStoreError, RegistryError } from '../../errors/index.ts'
import { Fault, type FaultEntry } from '../fault.ts'

/** What a failure of the upstream registry means to the client. SAFETY: its addresses are for the log alone. */
export function upstreamFault(error: unknown): unknown {
  if (!LayerStoreError.is(error) || error.code.startsWith('ERR_STORE_')) return error
  const fault = (status: number, code: FaultEntry['code'], message: string, headers: Record<string, string> = {}) =>
    new Fault(status, { code, message: `the upstream registry ${message}` }, headers, { cause: error })
  switch (error.code) {
    case 'ERR_MANIFEST_NOT_FOUND':
      return fault(404, 'MANIFEST_UNKNOWN', 'has no such manifest')
    case 'ERR_REMOTE_BLOB_NOT_FOUND':
      return fault(404, 'BLOB_UNKNOWN', 'has no such blob')
    // Not 401: a client that logs in here changes nothing there.
    case 'ERR_UNAUTHORIZED':
      return fault(403, 'DENIED', 'does not let this server read that, or has nothing of that name')
    case 'ERR_RATE_LIMITED':
      return fault(429, 'TOOMANYREQUESTS', 'wants to wait', retryAfter(error as RegistryError))
    default:
      return error instanceof FormatError
        ? fault(502, 'UNAVAILABLE', `sent what is no manifest (${error.code})`)
        : fault(502, 'UNAVAILABLE', `failed (${error.code})`)
  }
}

function retryAfter({ retryAfterMs }: RegistryError): Record<string, string> {
  return retryAfterMs === undefined ? {} : { 'Retry-After': `${Math.ceil(retryAfterMs / 1000)}` }
}

/** Whether the upstream registry has answered that there is nothing; everything else is no answer. */
export function saysNo(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false
  return error.code === 'ERR_MANIFEST_NOT_FOUND' || error.errors.some(({ code }) => code === 'NAME_UNKNOWN')
}
