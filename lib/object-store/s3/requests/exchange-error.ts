import { BucketError, LayerStoreError } from '../../../errors/index.ts'
import { connectionFault } from '../../../internal/connection-fault.ts'
import { isTransient } from '../../../internal/http/is-transient.ts'
import { BodySourceError } from '../../../internal/http/send-body.ts'

/** Builds the error of an exchange that ended without a complete answer, or with one that is not HTTP. */
export function exchangeError(cause: unknown, place: { readonly method: string; readonly url: string }): unknown {
  if (cause instanceof BodySourceError) return cause.cause
  if (LayerStoreError.is(cause) || !(cause instanceof Error)) return cause
  const { code = '' } = cause as NodeJS.ErrnoException
  const { method, url } = place
  if (code.startsWith('HPE_')) {
    const hint = url.startsWith('http:') ? '; it may need TLS' : ''
    const details = { method, url, retryable: true }
    return new BucketError('ERR_BUCKET_PROTOCOL', `the answer is not HTTP (${code})${hint}`, details, { cause })
  }
  const retryable = isTransient(cause)
  const message = `object storage was not reached: ${connectionFault(new URL(url), cause)}`
  return new BucketError('ERR_BUCKET_NETWORK', message, { method, url, retryable }, { cause })
}
