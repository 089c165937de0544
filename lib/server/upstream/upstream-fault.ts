import { LayerStoreError, RegistryError } from '../../errors/index.ts'
import { Fault } from '../fault.ts'

/** What a failure of the upstream registry means to the client. Its addresses are none of the client's business. */
export function upstreamFault(error: unknown): unknown {
  if (!LayerStoreError.is(error) || error.code.startsWith('ERR_STORE_')) return error
  switch (error.code) {
    case 'ERR_MANIFEST_NOT_FOUND':
      return new Fault(404, { code: 'MANIFEST_UNKNOWN', message: 'the upstream registry has no such manifest' })
    case 'ERR_REMOTE_BLOB_NOT_FOUND':
      return new Fault(404, { code: 'BLOB_UNKNOWN', message: 'the upstream registry has no such blob' })
    case 'ERR_RATE_LIMITED': {
      const { retryAfterMs } = error as RegistryError
      const after: Record<string, string> =
        retryAfterMs === undefined ? {} : { 'Retry-After': `${Math.ceil(retryAfterMs / 1000)}` }
      return new Fault(429, { code: 'TOOMANYREQUESTS', message: 'the upstream registry wants to wait' }, after)
    }
    default:
      return new Fault(502, { code: 'UNAVAILABLE', message: `the upstream registry failed (${error.code})` })
  }
}

/** Whether the upstream registry has answered that there is nothing; everything else is no answer. */
export function saysNo(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'ERR_MANIFEST_NOT_FOUND'
}
