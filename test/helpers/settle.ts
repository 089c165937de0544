import { stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

/** Threads of Node's pool by default, and as many tasks waiting for them. */
const TASKS = 8

/**
 * Runs everything that can run without a timer or another process: `turns` times all callbacks, and all tasks of the
 * thread pool that were queued before. A test that proves that something does not happen waits for this. Unlike a
 * pause, it takes longer on a busy machine.
 */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await Promise.all(Array.from({ length: TASKS }, () => stat('/')))
    await setImmediate()
  }
}

/** Waits until a value that sockets or files change stays the same, and resolves to it. */
export async function standstill<T>(read: () => T): Promise<T> {
  for (let before = read(); ; before = read()) {
    await settle(200)
    if (read() === before) return before
  }
}
