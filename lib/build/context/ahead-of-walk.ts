import type { Worker } from 'node:worker_threads'
import { threadArguments } from '../../internal/thread-code.ts'
import { warnNoThreads } from '../../internal/warn-no-threads.ts'
import type { LookAheadStart } from './look-ahead.ts'
import { type RowStats, StatRows } from './stat-rows.ts'

/** PERF: bytes of listings from which a thread pays: about 5,000 paths. Starting it takes as long as 5,000 `lstat`. */
const LEAST_BYTES = 256 * 1024
/** Bytes of listings for one row: fewer than a name takes on average, with its share of the path of its directory. */
const BYTES_OF_ROW = 32
/**
 * SAFETY: a step that copies may run long after the start of a build. From this age on, paths are looked at anew, so
 * that an edit which came in the meantime is not taken for a change while the file is read.
 */
const MOST_AGE_MS = 5000
/** PERF: what the thread makes is garbage at once. */
const SMALL_NURSERY = { maxYoungGenerationSizeMb: 4 }

/**
 * A thread that looks at the paths of the last build while the calling thread loads code and plans, and then while it
 * walks.
 */
export class AheadOfWalk {
  readonly #rows: StatRows
  readonly #thread: Worker
  readonly #startedAt = performance.now()
  #isFresh = true

  private constructor(rows: StatRows, thread: Worker) {
    this.#rows = rows
    this.#thread = thread
    thread.unref()
    // The walk looks at what the thread has not looked at.
    thread.on('error', () => {})
  }

  /** Starts the thread; resolves to `undefined` if it does not pay, or if there are no threads. */
  static async start(root: string, listings: Uint8Array): Promise<AheadOfWalk | undefined> {
    if (listings.byteLength < LEAST_BYTES) return undefined
    const { STAT_THREAD } = await import('./stat-thread-code.ts')
    if (!STAT_THREAD) return undefined
    const { Worker } = await import('node:worker_threads')
    const rows = StatRows.create(Math.ceil(listings.byteLength / BYTES_OF_ROW))
    const workerData: LookAheadStart = { root, listings, memory: rows.memory }
    try {
      return new AheadOfWalk(
        rows,
        new Worker(...threadArguments(STAT_THREAD, { workerData, resourceLimits: SMALL_NURSERY })),
      )
    } catch (error) {
      warnNoThreads(error)
      return undefined
    }
  }

  /** Lets the thread leave out the rows before this one, as the walk looks at them now. */
  pass(row: number): void {
    if (this.#isFresh && performance.now() - this.#startedAt > MOST_AGE_MS) this.#isFresh = false
    this.#rows.needed = this.#isFresh ? row : this.#rows.length
  }

  /** Returns what `lstat` said of the path of a row; `undefined` if the walk must look. Valid until the next call. */
  read(row: number): RowStats | undefined {
    return this.#isFresh ? this.#rows.read(row) : undefined
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    await this.#thread.terminate()
  }
}
