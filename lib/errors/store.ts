import { LayerStoreError } from './base.ts'

/** A blob that the store does not hold. */
export class BlobNotFoundError extends LayerStoreError {
  readonly code = 'ERR_BLOB_NOT_FOUND'
  /** Digest that was asked for. */
  readonly digest: string
  /** Digest of the document that names the blob, where the search started from one. */
  readonly parent: string | undefined

  /** @internal */
  constructor(digest: string, options?: ErrorOptions & { parent?: string }) {
    super(options?.parent ? `no blob ${digest}, named by ${options.parent}` : `no blob ${digest} in the store`, options)
    this.digest = digest
    this.parent = options?.parent
  }
}

/** A name that the store does not know. */
export class ReferenceNotFoundError extends LayerStoreError {
  readonly code = 'ERR_REFERENCE_NOT_FOUND'
  /** The name as it was asked for. */
  readonly reference: string

  /** @internal */
  constructor(reference: string, options?: ErrorOptions & { where?: string }) {
    super(`no image named ${reference} in ${options?.where ?? 'the store'}`, options)
    this.reference = reference
  }
}

/** A stored blob whose bytes have changed since it was committed (bit rot, truncation, foreign write). */
export class BlobCorruptError extends LayerStoreError {
  readonly code = 'ERR_BLOB_CORRUPT'
  /** Digest under which the blob is stored. */
  readonly digest: string
  /** What was expected and what was found, e.g. `size 10` and `size 9`. */
  readonly expected: string
  /** See {@link BlobCorruptError.expected}. */
  readonly actual: string
  /** Where the blob is kept now, relative to the store, if it was moved out of the way. */
  readonly quarantinedTo: string | undefined

  /** @internal */
  constructor(
    details: { digest: string; expected: string; actual: string; quarantinedTo?: string },
    options?: ErrorOptions,
  ) {
    super(`stored blob ${details.digest} is corrupt: expected ${details.expected}, found ${details.actual}`, options)
    this.quarantinedTo = details.quarantinedTo
    this.digest = details.digest
    this.expected = details.expected
    this.actual = details.actual
  }
}

/** The codes of {@link StoreError}. */
export type StoreErrorCode =
  | 'ERR_COLLECTION_REFUSED'
  | 'ERR_COLLECTION_UNSUPPORTED'
  | 'ERR_REFERENCE_CONFLICT'
  | 'ERR_STORE_CLOSED'
  | 'ERR_STORE_FORMAT'
  | 'ERR_STORE_IO'
  | 'ERR_STORE_LOCKED'
  | 'ERR_STORE_READ_ONLY'
  | 'ERR_STORE_VERSION'
  | 'ERR_INGEST_BUSY'
  | 'ERR_WRITER_CLOSED'

/** The store itself could not do what was asked: not a store, read-only, locked, closed, or the disk refused. */
export class StoreError extends LayerStoreError {
  readonly code: StoreErrorCode
  /** The system's errno name (`ENOSPC`, `EIO`, …) for `ERR_STORE_IO`. */
  readonly errno: string | undefined

  /** @internal */
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions & { errno?: string | undefined }) {
    super(message, options)
    this.code = code
    this.errno = options?.errno
  }
}
