import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'

/** What to protect, and under which label. */
export interface HoldOptions extends AbortOptions {
  /** What the lease is for; stands in plans of collections. At most 200 characters. @defaultValue `'unnamed'` */
  readonly label?: string | undefined
  /** Blobs to protect, there or still to come. Those that are there are acknowledged as by {@link Lease.add}. */
  readonly digests?: Iterable<Digest> | undefined
  /**
   * How long the lease counts without a sign of life of its holder. It renews itself while the process lives; this matters
   * if the process runs on another machine. From a minute to 30 days. @defaultValue 24 hours
   */
  readonly expiresInMs?: number | undefined
}

/**
 * Keeps collections away, until it is released: from the blobs it was given, from every blob that anybody has stored or
 * acknowledged since it began, and from what the manifests among them name.
 */
export interface Lease extends AsyncDisposable {
  /** Names the lease in its store. */
  readonly id: string

  /**
   * Acknowledges a blob: from here on it is as good as one that was just stored. Resolves to whether it is in the store;
   * if so, no collection takes it while the lease is held.
   */
  add(digest: Digest): Promise<boolean>

  /** Gives a sign of life now. Not needed in a process that lives: that happens by itself. */
  renew(): Promise<void>

  /** Ends the protection. What it protected keeps the grace period of a collection. Idempotent. */
  release(): Promise<void>
}

/** A lease as others see it. */
export interface LeaseInfo {
  /** Names the lease. */
  readonly id: string
  /** What it is for, for people. */
  readonly label: string
  /** Who holds it, for people. */
  readonly holder: string
  /** When it began, in milliseconds since 1970. */
  readonly sinceMs: number
  /** The last sign of life, in milliseconds since 1970. */
  readonly renewedMs: number
  /** How long it counts after that, unless its holder is known to live. */
  readonly expiresInMs: number
  /** Blobs named by it. */
  readonly digests: readonly Digest[]
}

/** Protection from collections. */
export interface LeaseStore {
  /**
   * Takes a lease. Acts of this library take one by themselves for as long as they run; take one yourself around several
   * acts, or around work that needs blobs that no name reaches. In a store that is read-only it protects nothing.
   *
   * @throws {@link StoreError} `ERR_STORE_IO`; {@link FormatError} `ERR_INVALID_ARGUMENT`.
   */
  hold(options?: HoldOptions): Promise<Lease>

  /**
   * Acknowledges a blob without a lease: it is protected as long as the grace period of a collection, as if it had just
   * been stored. Resolves to whether it is in the store.
   */
  touch(digest: Digest, options?: AbortOptions): Promise<boolean>

  /**
   * Every lease, also those that ended without a release. One that is damaged is labelled `damaged lease`.
   *
   * @throws {@link StoreError} `ERR_STORE_IO` if the system cannot read one.
   */
  list(options?: AbortOptions): AsyncIterable<LeaseInfo>
}
