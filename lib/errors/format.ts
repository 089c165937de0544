import { LayerStoreError } from './base.ts'

/** Codes of {@link FormatError}. */
export type FormatErrorCode =
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_INVALID_DIGEST'
  | 'ERR_INVALID_REFERENCE'
  | 'ERR_INVALID_PLATFORM'
  | 'ERR_INVALID_DESCRIPTOR'
  | 'ERR_INVALID_MANIFEST'
  | 'ERR_INVALID_INDEX'
  | 'ERR_INVALID_CONFIG'
  | 'ERR_INVALID_LAYOUT'
  | 'ERR_INVALID_CHECKPOINT'
  | 'ERR_CHECKPOINT_UNSUPPORTED'
  | 'ERR_INVALID_TAR'
  | 'ERR_INVALID_COMPRESSION'
  | 'ERR_UNSUPPORTED_COMPRESSION'
  | 'ERR_UNSUPPORTED_MEDIA_TYPE'

/** Input that violates its format: a malformed digest, manifest, tar stream, compressed stream and the like. */
export class FormatError extends LayerStoreError {
  readonly code: FormatErrorCode
  /** Path of the fault inside the document, e.g. `layers[3].digest`, or a byte offset, if known. */
  readonly at: string | undefined

  /** @internal */
  constructor(code: FormatErrorCode, message: string, options?: ErrorOptions & { at?: string | undefined }) {
    super(options?.at ? `${message} (at ${options.at})` : message, options)
    this.code = code
    this.at = options?.at
  }
}

/** Input that exceeds a limit; nothing beyond the limit was read or kept. */
export class LimitError extends LayerStoreError {
  readonly code = 'ERR_LIMIT_EXCEEDED'
  /** The limited quantity, e.g. `manifest bytes`. */
  readonly what: string
  /** The limit. */
  readonly limit: number
  /** The value seen; a lower bound if reading stopped there. */
  readonly actual: number

  /** @internal */
  constructor(what: string, details: { limit: number; actual: number; where?: string }, options?: ErrorOptions) {
    const where = details.where ? ` in ${details.where}` : ''
    super(`${what}${where} over the limit: at most ${details.limit}, got ${details.actual} or more`, options)
    this.what = what
    this.limit = details.limit
    this.actual = details.actual
  }
}
