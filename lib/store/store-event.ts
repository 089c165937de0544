/**
 * An operation has waited for two seconds for a lock that another operation holds. It keeps waiting until its signal
 * fires.
 */
export interface StoreWaitingEvent {
  /** Discriminant. */
  readonly type: 'waiting'
  /** File of the lock, relative to the store: `.layerstore/locks/index` for the list of names. */
  readonly lock: string
  /**
   * Process that holds the lock, its machine, and the start: `process 12 on build-1 since 2026-11-29T10:00:00.000Z`.
   */
  readonly holder: string
  /** Human-readable advice. */
  readonly advice: string
  /** All fields in one human-readable line. It quotes the lock file, so it may contain any character. */
  readonly message: string
}

/** The operation of a {@link StoreWaitingEvent} has acquired its lock. An aborted operation sends no such event. */
export interface StoreWaitedEvent {
  /** Discriminant. */
  readonly type: 'waited'
  /** File of the lock, relative to the store. */
  readonly lock: string
}

/** Event of an open store. */
export type StoreEvent = StoreWaitingEvent | StoreWaitedEvent
