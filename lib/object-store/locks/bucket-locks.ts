import type { AbortOptions } from '../../internal/abort.ts'

/** A lock that is held. */
export interface HeldBucketLock {
  /**
   * Throws if the lock may have expired: another process may hold it. Called just before the write that the lock
   * protects.
   */
  assertHeld(): void | Promise<void>
  /** Releases the lock, unless another process holds it by now. */
  release(): Promise<void>
}

/**
 * Locks in an engine that all processes of a store share, for object storage without conditional writes. All of them
 * have to use the same locks.
 */
export interface BucketLocks {
  /** Waits until no other process holds the lock. Rejects with the reason of the signal. */
  acquire(name: string, options?: AbortOptions): Promise<HeldBucketLock>
}
