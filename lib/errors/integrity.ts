import { LayerStoreError } from './base.ts'

/** Bytes whose digest differs from the expected digest. A retry at the same source will not help. */
export class DigestMismatchError extends LayerStoreError {
  readonly code = 'ERR_DIGEST_MISMATCH'
  /** The expected digest. */
  readonly expected: string
  /** The digest of the bytes received. */
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

/** Content that is shorter or longer than announced. `actual` may be the offset at which reading stopped. */
export class SizeMismatchError extends LayerStoreError {
  readonly code = 'ERR_SIZE_MISMATCH'
  /** Expected number of bytes. */
  readonly expected: number
  /** Number of bytes seen; a lower bound for surplus content, because reading stops early. */
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

/** A layer whose uncompressed bytes do not match the diffId in its image config. */
export class DiffIdMismatchError extends LayerStoreError {
  readonly code = 'ERR_DIFF_ID_MISMATCH'
  /** Digest of the layer blob. */
  readonly layer: string
  /** The diffId in the image config. */
  readonly expected: string
  /** The digest of the uncompressed layer. */
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
