import { LayerStoreError } from './base.ts'

/** Bytes that do not hash to the digest they were announced under. Not worth a retry at the same source. */
export class DigestMismatchError extends LayerStoreError {
  readonly code = 'ERR_DIGEST_MISMATCH'
  /** The digest that was promised. */
  readonly expected: string
  /** The digest of the bytes that came. */
  readonly actual: string

  /** @internal */
  constructor(details: { expected: string; actual: string; what?: string }, options?: ErrorOptions) {
    super(
      `${details.what ?? 'content'} does not match its digest: expected ${details.expected}, got ${details.actual}`,
      options,
    )
    this.expected = details.expected
    this.actual = details.actual
  }
}

/** Content that is shorter or longer than announced. `actual` may be the point where reading stopped. */
export class SizeMismatchError extends LayerStoreError {
  readonly code = 'ERR_SIZE_MISMATCH'
  /** Bytes promised. */
  readonly expected: number
  /** Bytes seen; for surplus content reading stops early, so this is a lower bound. */
  readonly actual: number

  /** @internal */
  constructor(details: { expected: number; actual: number; what?: string }, options?: ErrorOptions) {
    super(
      `${details.what ?? 'content'} does not have its size: expected ${details.expected} bytes, got ${details.actual}`,
      options,
    )
    this.expected = details.expected
    this.actual = details.actual
  }
}

/** A layer whose uncompressed bytes are not the ones its image config lists. */
export class DiffIdMismatchError extends LayerStoreError {
  readonly code = 'ERR_DIFF_ID_MISMATCH'
  /** Digest of the layer blob. */
  readonly layer: string
  /** The diffId that the config lists. */
  readonly expected: string
  /** The digest of what the layer holds when it is opened. */
  readonly actual: string

  /** @internal */
  constructor(details: { layer: string; expected: string; actual: string }, options?: ErrorOptions) {
    super(
      `layer ${details.layer} does not hold its diffId: expected ${details.expected}, got ${details.actual}`,
      options,
    )
    this.layer = details.layer
    this.expected = details.expected
    this.actual = details.actual
  }
}
