import type { AbortOptions } from '../internal/abort.ts'

/** What is derived: one entry index for each diffID, and facts that blobs alone do not tell. */
export type DerivedKind = 'indexes' | 'facts'

/**
 * Keeps what was worked out from blobs, so that it need not be worked out twice. Nothing here is the only copy of
 * anything: all of it may be deleted at any time, and whoever needs it makes it again.
 */
export interface DerivedStore {
  /**
   * The bytes that were kept under a key, exactly, or `undefined`. What is damaged counts as absent.
   *
   * @param key - A digest, or any other text of 1 to 200 characters out of `a-z 0-9 . _ : + -`.
   * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for another key.
   */
  get(kind: DerivedKind, key: string, options?: AbortOptions): Promise<Uint8Array | undefined>

  /** Keeps bytes under a key, in place of others, whole or not at all. A store that cannot be written keeps nothing. */
  set(kind: DerivedKind, key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>

  /** The keys under which something is kept, in no order. */
  list(kind: DerivedKind, options?: AbortOptions): Promise<readonly string[]>

  /** Forgets what is kept under a key. Idempotent. */
  delete(kind: DerivedKind, key: string, options?: AbortOptions): Promise<void>
}
