import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo } from '../blob-store.ts'

/** Options of a lease. */
export interface HoldOptions extends AbortOptions {
  /** Purpose of the lease; shown in collection plans. At most 200 characters. @defaultValue `'unnamed'` */
  readonly label?: string | undefined
  /** Blobs to protect, whether they exist yet or not. Existing ones are acknowledged as by {@link Lease.add}. */
  readonly digests?: Iterable<Digest> | undefined
  /**
   * Time without renewal after which the lease expires, in milliseconds. A lease renews itself while its process lives,
   * so this matters if the process runs on another machine. From a minute to 30 days. @defaultValue 24 hours
   */
  readonly expiresInMs?: number | undefined
}

/**
 * Protects blobs from collections until it is released: the blobs it was given, every blob that any process has stored
 * or acknowledged since it began, and the blobs that the manifests among them refer to.
 */
export interface Lease extends AsyncDisposable {
  /** Identifier of the lease in its store. */
  readonly id: string

  /**
   * Acknowledges a blob: a collection treats it as if it had just been stored. Resolves to whether it is in the store;
   * if so, no collection removes it while the lease is held.
   */
  add(digest: Digest): Promise<boolean>

  /**
   * Tells what is known of a blob without a request: its facts if it was found or stored under this lease, and so
   * stays; `'absent'` if it was not there when the lease acknowledged it; `undefined` if nothing is known. Absent in
   * drivers whose `stat` costs no request.
   */
  known?(digest: Digest): BlobInfo | 'absent' | undefined

  /** Renews the lease now. Rarely needed: a lease renews itself while its process lives. */
  renew(): Promise<void>

  /** Ends the protection. The blobs still have the grace period of a collection. Idempotent. */
  release(): Promise<void>
}

/** Public description of a lease. */
export interface LeaseInfo {
  /** Identifier of the lease. */
  readonly id: string
  /** Purpose of the lease. */
  readonly label: string
  /** Human-readable name of the holder. */
  readonly holder: string
  /** Start of the lease, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Last renewal, in milliseconds since 1970. */
  readonly renewedMs: number
  /** Lifetime after the last renewal, in milliseconds, unless its holder is known to live. */
  readonly expiresInMs: number
  /** Digests that the lease names. */
  readonly digests: readonly Digest[]
}

/** Leases of a store: protection from collections. */
export interface LeaseStore {
  /**
   * Acquires a lease. Operations of this library hold one while they run; acquire one around several operations, or
   * around work with blobs that no name reaches. In a read-only store a lease protects nothing.
   *
   * @throws {@link StoreError} `ERR_STORE_IO`; {@link FormatError} `ERR_INVALID_ARGUMENT`.
   */
  hold(options?: HoldOptions): Promise<Lease>

  /**
   * Acknowledges a blob without a lease: it is protected for the grace period of a collection, as if it had just been
   * stored. Resolves to whether it is in the store.
   */
  touch(digest: Digest, options?: AbortOptions): Promise<boolean>

  /**
   * Lists every lease, including those that ended without a release. A damaged lease is labelled `damaged lease`.
   *
   * @throws {@link StoreError} `ERR_STORE_IO` if the system cannot read one.
   */
  list(options?: AbortOptions): AsyncIterable<LeaseInfo>
}
