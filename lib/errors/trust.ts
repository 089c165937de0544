import { LayerStoreError } from './base.ts'

/** Codes of {@link TrustError}. */
export type TrustErrorCode =
  | 'ERR_INVALID_KEY'
  | 'ERR_INVALID_POLICY'
  | 'ERR_POLICY_REFUSED'
  | 'ERR_SIGNATURE_INVALID'
  | 'ERR_SIGNATURE_MISSING'
  | 'ERR_TRUST_PACKAGE'

/** Details of a {@link TrustError}. */
export interface TrustErrorDetails {
  /** Digest of the image concerned. */
  readonly digest?: string | undefined
  /** Reasons of the refusal, one entry each. */
  readonly reasons?: readonly string[] | undefined
}

/**
 * A signature that is missing or wrong, an image that a policy refuses, or a key or policy that cannot be used. No
 * message holds a key or a password.
 */
export class TrustError extends LayerStoreError {
  readonly code: TrustErrorCode
  /** Digest of the image concerned. */
  readonly digest: string | undefined
  /** Reasons of the refusal, one entry each. */
  readonly reasons: readonly string[]

  /** @internal */
  constructor(code: TrustErrorCode, message: string, details: TrustErrorDetails = {}, options?: ErrorOptions) {
    const { digest, reasons = [] } = details
    super(reasons.length > 0 ? `${message}: ${reasons.join('; ')}` : message, options)
    this.code = code
    this.digest = digest
    this.reasons = reasons
  }
}
