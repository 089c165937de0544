import { LayerStoreError } from './base.ts'

/** A blob that the store does not have. */
export class BlobNotFoundError extends LayerStoreError {
  readonly code = 'ERR_BLOB_NOT_FOUND'
  /** The requested digest. */
  readonly digest: string
  /** Digest of the document that names the blob, if the search started at a document. */
  readonly parent: string | undefined
  /** Repository that holds the blob, if the store left it there: an image was put on a base that was not pulled. */
  readonly source: string | undefined
  /** Images that the store must have before an archive is loaded that leaves out their layers; empty otherwise. */
  readonly requires: readonly string[]

  /** @internal */
  constructor(
    digest: string,
    options?: ErrorOptions & {
      parent?: string | undefined
      source?: string | undefined
      requires?: readonly string[] | undefined
    },
  ) {
    super(notFound(digest, options), options)
    this.digest = digest
    this.parent = options?.parent
    this.source = options?.source
    this.requires = options?.requires ?? []
  }
}

function notFound(
  digest: string,
  options: { parent?: string | undefined; source?: string | undefined; requires?: readonly string[] | undefined } = {},
): string {
  const { parent, source, requires = [] } = options
  const missing = parent ? `no blob ${digest}, named by ${parent}` : `no blob ${digest} in the store`
  if (source) return `${missing}: it was left in ${source}; pull it from there first`
  if (requires.length === 0) return missing
  return `${missing}: the archive is a delta, and the store must have ${requires.join(', ')} first`
}

/** A name that the store does not have. */
export class ReferenceNotFoundError extends LayerStoreError {
  readonly code = 'ERR_REFERENCE_NOT_FOUND'
  /** The requested name. */
  readonly reference: string

  /** @internal */
  constructor(reference: string, options?: ErrorOptions & { where?: string; kind?: string }) {
    const isDigest = /^[a-z0-9]+:[0-9a-f]{32,}$/.test(reference)
    const what = isDigest
      ? `no ${options?.kind ?? 'blob'} ${reference}`
      : `no ${options?.kind ?? 'image'} named ${reference === '' ? '""' : reference}`
    super(`${what} in ${options?.where ?? 'the store'}`, options)
    this.reference = reference
  }
}

/** A stored blob whose bytes have changed since it was committed (bit rot, truncation, foreign write). */
export class BlobCorruptError extends LayerStoreError {
  readonly code = 'ERR_BLOB_CORRUPT'
  /** Digest of the blob. */
  readonly digest: string
  /** The expected value, e.g. `size 10`. */
  readonly expected: string
  /** The value found, e.g. `size 9`. */
  readonly actual: string
  /** New place of the blob, relative to the store, if it was moved to the quarantine. */
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

/** Codes of {@link StoreError}. */
export type StoreErrorCode =
  | 'ERR_COLLECTION_REFUSED'
  | 'ERR_COLLECTION_UNSUPPORTED'
  | 'ERR_REFERENCE_CONFLICT'
  | 'ERR_STORE_CLOSED'
  | 'ERR_STORE_FORMAT'
  | 'ERR_STORE_IO'
  | 'ERR_STORE_LOCKED'
  | 'ERR_STORE_NOT_FOUND'
  | 'ERR_STORE_READ_ONLY'
  | 'ERR_STORE_UNSAFE'
  | 'ERR_STORE_VERSION'
  | 'ERR_INGEST_BUSY'
  | 'ERR_WRITER_CLOSED'

/** A failure of the store itself: not a store, read-only, locked, closed, or an I/O error. */
export class StoreError extends LayerStoreError {
  readonly code: StoreErrorCode
  /** The system's error name (`ENOSPC`, `EIO`, …) for `ERR_STORE_IO`. */
  readonly errno: string | undefined

  /** @internal */
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions & { errno?: string | undefined }) {
    super(message, options)
    this.code = code
    this.errno = options?.errno
  }
}
