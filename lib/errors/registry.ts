import { LayerStoreError } from './base.ts'

/** The codes of {@link RegistryError}. */
export type RegistryErrorCode =
  | 'ERR_REGISTRY'
  | 'ERR_UNAUTHORIZED'
  | 'ERR_RATE_LIMITED'
  | 'ERR_MANIFEST_NOT_FOUND'
  | 'ERR_REMOTE_BLOB_NOT_FOUND'
  | 'ERR_NETWORK'
  | 'ERR_PROTOCOL'
  | 'ERR_BLOCKED_URL'
  | 'ERR_CREDENTIALS'

/** One error as a registry words it: its code (`MANIFEST_UNKNOWN`, `DENIED`, …) and message. */
export interface WireError {
  /** The registry's own code. */
  readonly code: string
  /** The registry's own words, control characters removed, cut at 512 characters. */
  readonly message: string
  /** The blob or manifest that it is about, where the registry names one, as with `MANIFEST_BLOB_UNKNOWN`. */
  readonly digest?: string
}

/** Facts about a failed exchange with a registry. */
export interface RegistryErrorDetails {
  /** HTTP method. */
  readonly method: string
  /** Address without query, user or password. */
  readonly url: string
  /** HTTP status, if an answer came. */
  readonly status?: number | undefined
  /** The registry's own errors. */
  readonly errors?: readonly WireError[]
  /** Whether the same request may succeed later. */
  readonly retryable?: boolean
  /** How long the registry asked to wait. */
  readonly retryAfterMs?: number | undefined
}

/**
 * A registry that refused, failed or could not be reached.
 *
 * `ERR_NETWORK`: no (whole) answer came. `ERR_PROTOCOL`: an answer came that breaks the protocol.
 * `ERR_BLOCKED_URL`: the registry sent us to an address that the URL policy forbids.
 * No token, password or query string is ever part of the message or of a field.
 */
export class RegistryError extends LayerStoreError {
  readonly code: RegistryErrorCode
  /** HTTP method of the failed request. */
  readonly method: string
  /** Address of the failed request, without query, user or password. */
  readonly url: string
  /** HTTP status, if an answer came. */
  readonly status: number | undefined
  /** The registry's own errors; empty if it sent none. */
  readonly errors: readonly WireError[]
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
  /** How long the registry asked to wait. */
  readonly retryAfterMs: number | undefined

  /** @internal */
  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails, options?: ErrorOptions) {
    const wire = details.errors?.map(e => `${e.code}: ${e.message}`).join('; ')
    const url = withoutSecrets(details.url)
    super(`${message}: ${details.method} ${url}${wire ? ` (${wire})` : ''}`, options)
    this.code = code
    this.method = details.method
    this.url = url
    this.status = details.status
    this.errors = details.errors ?? []
    this.retryable = details.retryable ?? false
    this.retryAfterMs = details.retryAfterMs
  }
}

/** SAFETY: signed addresses carry their signature in the query, and some people write passwords into addresses. */
function withoutSecrets(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1')
}
