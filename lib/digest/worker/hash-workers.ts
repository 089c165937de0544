import { availableParallelism } from 'node:os'
import { FormatError } from '../../errors/index.ts'
import { warnNoThreads } from '../../internal/warn-no-threads.ts'
import type { HashWorker } from './hash-worker.ts'

/** Number of threads that a caller has chosen; 0 after the system refused one. */
let chosen: number | undefined
let processors: number | undefined
let forced: number | undefined
let workers: HashWorker[] = []
/** Number of long streams that are hashed on the calling thread. */
let streamsHere = 0

/**
 * Sets how many worker threads hash long streams, and the most that take long blobs of pulls and pushes between
 * connection and file, for the whole process; 0 does all of it on the calling thread. Open streams keep their thread.
 *
 * @example
 * ```ts
 * setHashWorkers(0) // hash everything on the calling thread
 * ```
 *
 * @defaultValue one less than the number of processors, at least 1 and at most 4
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` unless it is a whole number from 0 to 64.
 */
export function setHashWorkers(count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > 64) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `hash workers must be a whole number from 0 to 64, not ${count}`)
  }
  chosen = count
  const surplus = workers.filter((worker, i) => i >= count && worker.load === 0)
  workers = workers.filter(worker => !surplus.includes(worker))
  for (const worker of surplus) void worker.terminate()
}

/** Maximum number of hash workers. */
export function hashWorkerLimit(): number {
  return chosen ?? Math.max(1, Math.min(4, processorCount() - 1))
}

/** PERF: on one processor, threads that take whole blobs gain nothing. */
const LEAST_PROCESSORS = 2
const MOST_BLOB_THREADS = 8

/**
 * Maximum number of worker threads that receive, hash and write whole blobs: one per processor, at most 8 and at most
 * the number that {@link setHashWorkers} set; none on one processor.
 *
 * @param leastProcessors - Number of processors from which the work gains by a thread: 0 threads on fewer.
 *
 * @example
 * ```ts
 * setHashWorkers(0)
 * blobThreadLimit() // 0
 * ```
 */
export function blobThreadLimit(leastProcessors = LEAST_PROCESSORS): number {
  const fitting = forced ?? blobThreadsFor(processorCount())
  return fitting < leastProcessors ? 0 : Math.min(fitting, chosen ?? MOST_BLOB_THREADS)
}

/** Number of blob threads that fits a number of processors. */
export function blobThreadsFor(count: number): number {
  return count < LEAST_PROCESSORS ? 0 : Math.min(MOST_BLOB_THREADS, count)
}

/** Replaces the number of blob threads that fits the processors; for tests. */
export function forceBlobThreads(count: number | undefined): void {
  forced = count
}

function processorCount(): number {
  processors ??= availableParallelism()
  return processors
}

/** Place of a long stream: a worker, or the calling thread. `leave` frees the capacity; call it once. */
export interface StreamPlace {
  readonly worker?: HashWorker
  readonly leave: () => void
}

/** For a stream whose worker failed to start: it stays on the calling thread. */
export const NOWHERE_ELSE: StreamPlace = { leave: () => {} }

/** PERF: loaded with the first long stream, together with the code of the threads. */
let code: typeof import('./hash-worker.ts') | undefined

/**
 * Chooses where to hash a long stream: an idle worker, a new worker while the limit allows one, else the calling
 * thread. Without worker threads in this process, every stream stays on the calling thread. The calling thread counts
 * as capacity for one stream; otherwise a second processor would idle while one worker hashes two streams.
 */
export async function placeStream(): Promise<StreamPlace> {
  code ??= await import('./hash-worker.ts')
  const idle = workers.find(worker => worker.load === 0) ?? start(code)
  if (idle) return reserve(idle)
  const [least] = [...workers].sort((a, b) => a.load - b.load)
  return least && streamsHere > 0 ? reserve(least) : stayHere()
}

/** A place with less load than the current one, if streams have ended elsewhere. */
export function betterPlace({ worker }: StreamPlace): StreamPlace | undefined {
  if (worker && worker.load < 2) return undefined
  const idle = workers.find(other => other.load === 0 && other.state === 'ready')
  if (idle) return reserve(idle)
  return worker && streamsHere === 0 ? stayHere() : undefined
}

function reserve(worker: HashWorker): StreamPlace {
  return { worker, leave: worker.reserve() }
}

function stayHere(): StreamPlace {
  streamsHere++
  let here = true
  return {
    leave: () => {
      if (here) streamsHere--
      here = false
    },
  }
}

/** Starts a worker, if the limit allows one and threads can be started. */
function start({ HashWorker }: typeof import('./hash-worker.ts')): HashWorker | undefined {
  if (workers.length >= hashWorkerLimit()) return undefined
  try {
    const worker: HashWorker = new HashWorker(() => {
      workers = workers.filter(other => other !== worker)
    })
    workers.push(worker)
    return worker
  } catch (error) {
    chosen = 0
    warnNoThreads(error)
    return undefined
  }
}
