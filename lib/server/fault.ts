import { LayerStoreError } from '../errors/index.ts'

/**
 * The codes that this server answers with. SPEC: below 500 only codes of the specification (distribution-spec, error codes);
 * `UNAVAILABLE` and `UNKNOWN`, which every client knows, are for 500 and more.
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
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

/** One error of an answer. */
export interface FaultEntry {
  readonly code: WireCode
  readonly message: string
  readonly detail?: unknown
}

/** A request that is answered with an error: JSON on the wire, and in `RegistryRequestEvent` its cause, or else itself. */
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

/** What an error of the library means to the client. */
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

/** The answer to a request that failed with `error`. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const known = LayerStoreError.is(error) ? KNOWN[error.code] : undefined
  // SAFETY: other messages may name paths of this machine, which are none of the client's business.
  if (!known) {
    const entry = { code: 'UNKNOWN', message: 'the registry failed; its own log knows more' } as const
    return new Fault(500, entry, {}, { cause: error })
  }
  return new Fault(known[0], { code: known[1], message: (error as Error).message }, {}, { cause: error })
}
