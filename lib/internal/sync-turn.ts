import pLimit from 'p-limit'

/** What Node starts with unless `UV_THREADPOOL_SIZE` says otherwise. */
const THREADS = 4
const threads = Number(process.env.UV_THREADPOOL_SIZE) || THREADS
const turns = pLimit(Math.max(1, threads - 1))

/**
 * Syncs a file or a directory when there is a thread for it. PERF: a sync blocks a thread of Node's pool for as long as the disk
 * takes; reading, inflating and the names of hosts go through the same threads, and one is left to them.
 */
export function inSyncTurn<T>(sync: () => Promise<T>): Promise<T> {
  return turns(sync)
}
