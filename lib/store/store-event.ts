/** An act has waited for two seconds for a lock that another act holds. It goes on waiting until its signal fires. */
export interface StoreWaitingEvent {
  /** Discriminant. */
  readonly type: 'waiting'
  /** File of the lock, relative to the store: `.layerstore/locks/index` for the list of names. */
  readonly lock: string
  /** Process that holds the lock, its machine, and since when: `process 12 on build-1 since 2026-11-29T10:00:00.000Z`. */
  readonly holder: string
  /** What can be done about it, for people. */
  readonly advice: string
  /** All of this in one line, for people. It quotes the file of the lock, so it may hold any character. */
  readonly message: string
}

/** The act that a {@link StoreWaitingEvent} told of has its lock now. There is no such event for an act that was aborted. */
export interface StoreWaitedEvent {
  /** Discriminant. */
  readonly type: 'waited'
  /** File of the lock, relative to the store. */
  readonly lock: string
}

/** News of an open store. */
export type StoreEvent = StoreWaitingEvent | StoreWaitedEvent
