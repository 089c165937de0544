import type { LimitFunction } from 'p-limit'

/** Threads in Node's pool unless `UV_THREADPOOL_SIZE` is set. */
const DEFAULT_THREADS = 4
let limit: Promise<LimitFunction> | undefined

/**
 * Runs a sync of a file or a directory when a thread of Node's pool may be used for it.
 *
 * PERF: a sync blocks its thread for as long as the disk takes. Reads, inflating and DNS look-ups use the same threads,
 * so one thread is always left to them.
 */
export async function withFsyncLimit<T>(sync: () => Promise<T>): Promise<T> {
  limit ??= createLimit()
  return (await limit)(sync)
}

/** PERF: loaded at the first sync, so a program that only reads does not load it. */
async function createLimit(): Promise<LimitFunction> {
  const { default: pLimit } = await import('p-limit')
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || DEFAULT_THREADS
  return pLimit(Math.max(1, threads - 1))
}
