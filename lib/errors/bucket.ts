import { LayerStoreError } from './base.ts'

/** Codes of {@link BucketError}. */
export type BucketErrorCode =
  | 'ERR_BUCKET'
  | 'ERR_BUCKET_BUSY'
  | 'ERR_BUCKET_CREDENTIALS'
  | 'ERR_BUCKET_DENIED'
  | 'ERR_BUCKET_NETWORK'
  | 'ERR_BUCKET_NOT_FOUND'
  | 'ERR_BUCKET_OBJECT_CHANGED'
  | 'ERR_BUCKET_PROTOCOL'
  | 'ERR_BUCKET_REGION'
  | 'ERR_BUCKET_UNSUPPORTED'
  | 'ERR_BUCKET_UPLOAD_NOT_FOUND'

/** Details of a failed request to object storage. */
export interface BucketErrorDetails {
  /** HTTP method. */
  readonly method: string
  /** Address without query, user and password. */
  readonly url: string
  /** HTTP status, if an answer arrived. */
  readonly status?: number | undefined
  /** Code in the answer, such as `SlowDown`. */
  readonly wireCode?: string | undefined
  /** Identifier that the service gave the request; its operator finds the request by it. */
  readonly requestId?: string | undefined
  /** Whether the same request may succeed later. */
  readonly retryable?: boolean | undefined
  /** Delay that the service asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/**
 * Object storage that refused, failed or could not be reached.
 *
 * Neither the message nor a field ever contains a key, a token, a signature or a query string.
 */
export class BucketError extends LayerStoreError {
  readonly code: BucketErrorCode
  /** HTTP method of the failed request; empty if none was sent. */
  readonly method: string
  /** Address of the failed request without query, user and password; empty if none was sent. */
  readonly url: string
  /** HTTP status, if an answer arrived. */
  readonly status: number | undefined
  /** Code in the answer, such as `SlowDown`. */
  readonly wireCode: string | undefined
  /** Identifier that the service gave the request. */
  readonly requestId: string | undefined
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
  /** Delay that the service asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined

  /** @internal */
  constructor(code: BucketErrorCode, message: string, details?: BucketErrorDetails, options?: ErrorOptions) {
    super(details ? `${message}: ${details.method} ${details.url}` : message, options)
    this.code = code
    this.method = details?.method ?? ''
    this.url = details?.url ?? ''
    this.status = details?.status
    this.wireCode = details?.wireCode
    this.requestId = details?.requestId
    this.retryable = details?.retryable ?? false
    this.retryAfterMs = details?.retryAfterMs
  }
}
