import type { Executor } from './executors/executor.ts'
import type { SnapshotDriver } from './snapshots/stack.ts'

/**
 * Snapshots and an executor that belong together: the root filesystems of one may be visible to the other one only.
 */
export interface Sandbox extends AsyncDisposable {
  /** Runs processes in the root filesystems. */
  readonly executor: Executor
  /** Opens root filesystems. */
  readonly snapshots: SnapshotDriver

  /** Ends what the sandbox has started. Idempotent; a later call of a member starts it again. */
  [Symbol.asyncDispose](): Promise<void>
}
