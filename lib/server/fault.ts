import { LayerStoreError, type StoreError } from '../errors/index.ts'

/**
 * Error codes of answers. SPEC: a status below 500 has a code of the specification (distribution-spec, error codes).
 * `UNAVAILABLE` and `UNKNOWN`, which all clients know, and `STORAGE_FULL`, which is specific to this server, are for
 * 500 and above.
 */
export type WireCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'STORAGE_FULL'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

/** One error in an answer. */
export interface FaultEntry {
  readonly code: WireCode
  readonly message: string
  readonly detail?: unknown
}

/**
 * A request that is answered with an error. `RegistryRequestEvent.error` is its cause, or the fault itself if it has
 * none.
 */
export class Fault extends Error {
  readonly status: number
  readonly entries: readonly FaultEntry[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    entries: FaultEntry | readonly FaultEntry[],
    headers: Record<string, string> = {},
    options?: ErrorOptions,
  ) {
    const list = Array.isArray(entries) ? (entries as readonly FaultEntry[]) : [entries as FaultEntry]
    super(list.map(entry => entry.message).join('; '), options)
    this.status = status
    this.entries = list
    this.headers = headers
  }
}

/** Status and code for errors of the library. */
const KNOWN: Readonly<Record<string, readonly [status: number, code: WireCode]>> = {
  ERR_BLOB_NOT_FOUND: [404, 'BLOB_UNKNOWN'],
  ERR_DIGEST_MISMATCH: [400, 'DIGEST_INVALID'],
  ERR_SIZE_MISMATCH: [400, 'SIZE_INVALID'],
  ERR_INGEST_BUSY: [409, 'BLOB_UPLOAD_INVALID'],
  ERR_WRITER_CLOSED: [404, 'BLOB_UPLOAD_UNKNOWN'],
  ERR_STORE_READ_ONLY: [405, 'UNSUPPORTED'],
  ERR_STORE_LOCKED: [503, 'UNAVAILABLE'],
  ERR_STORE_CLOSED: [503, 'UNAVAILABLE'],
}

/** Status, code and message for errors of the system. */
const REFUSED: Readonly<Record<string, readonly [status: number, code: WireCode, message: string]>> = {
  ENOSPC: [507, 'STORAGE_FULL', 'the disk of the registry is full'],
  EDQUOT: [507, 'STORAGE_FULL', 'the disk of the registry is full'],
  EMFILE: [503, 'UNAVAILABLE', 'the registry has too many files open'],
  ENFILE: [503, 'UNAVAILABLE', 'the registry has too many files open'],
}

/** Whether a write failed because the disk or the quota is full. */
export function isStorageFull(error: unknown): boolean {
  return errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT'
}

function errnoOf(error: unknown): string {
  return LayerStoreError.is(error) && error.code === 'ERR_STORE_IO' ? ((error as StoreError).errno ?? '') : ''
}

/** Fault to answer a failed request with. */
export function requestFaultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const cause = { cause: error }
  const refused = REFUSED[errnoOf(error)]
  if (refused) {
    const [status, code, message] = refused
    return new Fault(status, { code, message }, status === 503 ? { 'Retry-After': '5' } : {}, cause)
  }
  const known = LayerStoreError.is(error) ? KNOWN[error.code] : undefined
  // SAFETY: any other message may contain paths of this machine; the client gets a fixed text instead.
  if (!known)
    return new Fault(500, { code: 'UNKNOWN', message: 'the registry failed; its log has the cause' }, {}, cause)
  return new Fault(known[0], { code: known[1], message: (error as Error).message }, {}, cause)
}
