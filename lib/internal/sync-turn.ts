import type { LimitFunction } from 'p-limit'

/** What Node starts with unless `UV_THREADPOOL_SIZE` says otherwise. */
const THREADS = 4
let turns: Promise<LimitFunction> | undefined

/**
 * Syncs a file or a directory when there is a thread for it. PERF: a sync blocks a thread of Node's pool for as long as the disk
 * takes; reading, inflating and the names of hosts go through the same threads, and one is left to them.
 */
export async function inSyncTurn<T>(sync: () => Promise<T>): Promise<T> {
  turns ??= makeTurns()
  return (await turns)(sync)
}

/** PERF: loaded when something is synced; whoever only reads does not wait for it. */
async function makeTurns(): Promise<LimitFunction> {
  const { default: pLimit } = await import('p-limit')
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || THREADS
  return pLimit(Math.max(1, threads - 1))
}
