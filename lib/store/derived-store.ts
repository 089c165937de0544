import type { AbortOptions } from '../internal/abort.ts'

/**
 * Kind of derived data:
 *
 * - `indexes`: one entry index for each diffID.
 * - `facts`: what blobs alone do not contain.
 * - `cache`: records of build caches. A record is a JSON object. A collection keeps the blobs that its member `blobs`
 *   lists as long as the record exists; the policy of a collection may drop the records that were set longest ago.
 */
export type DerivedKind = 'indexes' | 'facts' | 'cache'

/**
 * Cache of data derived from blobs. It never holds the only copy of anything: all of it may be deleted at any time, and
 * is computed again when needed.
 */
export interface DerivedStore {
  /**
   * Resolves to exactly the bytes stored under a key, or to `undefined`. Damaged data counts as absent.
   *
   * @param key - A digest, or any other text of 1 to 200 characters out of `a-z 0-9 . _ : + -`.
   * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for another key.
   */
  get(kind: DerivedKind, key: string, options?: AbortOptions): Promise<Uint8Array | undefined>

  /** Stores bytes under a key and replaces earlier ones, atomically. A read-only store ignores the call. */
  set(kind: DerivedKind, key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>

  /** The keys that have a value, in no order. */
  list(kind: DerivedKind, options?: AbortOptions): Promise<readonly string[]>

  /** Deletes the value of a key. Idempotent. */
  delete(kind: DerivedKind, key: string, options?: AbortOptions): Promise<void>
}
