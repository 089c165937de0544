import { LayerStoreError } from './base.ts'

/** Codes of {@link RegistryError}. */
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
  | 'ERR_TAG_DELETION_UNSUPPORTED'

/** One error in a registry's answer: its code (`MANIFEST_UNKNOWN`, `DENIED`, …) and message. */
export interface WireError {
  /** The registry's code. */
  readonly code: string
  /** The registry's message, without control characters, truncated to 512 characters. */
  readonly message: string
  /** Digest of the blob or manifest concerned, if the registry names one, as with `MANIFEST_BLOB_UNKNOWN`. */
  readonly digest?: string
}

/** Details of a failed request to a registry. */
export interface RegistryErrorDetails {
  /** HTTP method. */
  readonly method: string
  /** Address without query, user and password. */
  readonly url: string
  /** HTTP status, if an answer arrived. */
  readonly status?: number | undefined
  /** Errors in the registry's answer. */
  readonly errors?: readonly WireError[]
  /** Whether the same request may succeed later. */
  readonly retryable?: boolean
  /** Delay that the registry asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/**
 * A registry that refused, failed or could not be reached.
 *
 * - `ERR_NETWORK`: no complete answer arrived.
 * - `ERR_PROTOCOL`: the answer violates the protocol.
 * - `ERR_BLOCKED_URL`: the registry redirected to an address that the URL policy forbids.
 *
 * Neither the message nor a field ever contains a token, a password or a query string.
 */
export class RegistryError extends LayerStoreError {
  readonly code: RegistryErrorCode
  /** HTTP method of the failed request. */
  readonly method: string
  /** Address of the failed request, without query, user and password. */
  readonly url: string
  /** HTTP status, if an answer arrived. */
  readonly status: number | undefined
  /** Errors in the registry's answer; empty if there were none. */
  readonly errors: readonly WireError[]
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
  /** Delay that the registry asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined

  /** @internal */
  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails, options?: ErrorOptions) {
    const wire = details.errors?.map(e => `${e.code}: ${e.message}`).join('; ')
    const url = withoutCredentials(details.url)
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

/** SAFETY: presigned URLs have their signature in the query, and URLs may contain a user and a password. */
function withoutCredentials(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1')
}
