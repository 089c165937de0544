import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { threadArguments } from '../../internal/thread-code.ts'
import { warnNoThreads } from '../../internal/warn-no-threads.ts'
import type { NumberStats } from './disk-nodes.ts'
import { AT, COLUMNS, DONE, ENDED, MISSING, PHASE, RUNNING, type StatTask, WAITING } from './stat-task.ts'

/** PERF: below, about 5,000 names, the thread does not start in time. */
const LEAST_BYTES = 256 * 1024
/** No record is done. */
const NONE = 2 ** 31 - 1
/** PERF: objects of the thread die at once. */
const SMALL_NURSERY = { maxYoungGenerationSizeMb: 4 }

/**
 * A thread that looks at the paths of kept listings from the last one on, while a scan looks at them from the first
 * one. It waits until the scan begins, so that no path is looked at earlier than the scan would do it.
 */
export class StatsAhead {
  readonly #thread: Worker
  /** Absent once the scan has ended: the shared memory is free then. */
  #task: Pick<StatTask, 'control' | 'numbers'> | undefined

  private constructor(thread: Worker, { control, numbers }: StatTask) {
    this.#thread = thread
    this.#task = { control, numbers }
  }

  /** Starts the thread; resolves to `undefined` where it does not pay or cannot start. */
  static async start(root: string, records: Uint8Array): Promise<StatsAhead | undefined> {
    if (records.byteLength < LEAST_BYTES || availableParallelism() < 2) return undefined
    const { STAT_THREAD } = await import('./stat-thread-code.ts')
    if (!STAT_THREAD) return undefined
    const { Worker } = await import('node:worker_threads')
    // A name takes one zero, and a record at least three more.
    const names = zerosIn(records)
    const control = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))
    const numbers = new Float64Array(new SharedArrayBuffer(names * COLUMNS * Float64Array.BYTES_PER_ELEMENT))
    control[DONE] = NONE
    const task: StatTask = { root, records, control, numbers }
    try {
      const options = { workerData: task, resourceLimits: SMALL_NURSERY }
      const thread = new Worker(...threadArguments(STAT_THREAD, options))
      thread.unref()
      // Without the thread, the scan looks at each path itself.
      thread.on('error', () => {})
      return new StatsAhead(thread, task)
    } catch (error) {
      warnNoThreads(error)
      return undefined
    }
  }

  /** Lets the thread begin. */
  begin(): void {
    if (!this.#task) return
    const { control } = this.#task
    if (Atomics.compareExchange(control, PHASE, WAITING, RUNNING) === WAITING) Atomics.notify(control, PHASE)
  }

  /** Ends the work of the thread; what it has seen does not count any more. */
  end(): void {
    if (!this.#task) return
    const { control } = this.#task
    Atomics.store(control, PHASE, ENDED)
    Atomics.notify(control, PHASE)
    this.#task = undefined
  }

  /** Resolves when the thread is gone. */
  async close(): Promise<void> {
    this.end()
    await this.#thread.terminate()
  }

  /** True if the thread has looked at the names of a record; the scan is at that record now. */
  hasRecord(record: number): boolean {
    if (!this.#task || Atomics.load(this.#task.control, PHASE) !== RUNNING) return false
    const { control } = this.#task
    Atomics.store(control, AT, record)
    return record >= Atomics.load(control, DONE)
  }

  /** Numbers that the thread has seen, by the number of the name; `undefined` if the scan must look itself. */
  statsOf(name: number): NumberStats | undefined {
    if (!this.#task) return undefined
    const { numbers } = this.#task
    const row = name * COLUMNS
    const mode = numbers[row]!
    if (mode === MISSING) return undefined
    return {
      mode,
      nlink: numbers[row + 1]!,
      rdev: numbers[row + 2]!,
      dev: numbers[row + 3]!,
      ino: numbers[row + 4]!,
      size: numbers[row + 5]!,
      mtimeMs: numbers[row + 6]!,
      ctimeMs: numbers[row + 7]!,
    }
  }
}

function zerosIn(bytes: Uint8Array): number {
  let count = 0
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) count++
  return count
}
