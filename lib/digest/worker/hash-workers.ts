import { availableParallelism } from 'node:os'
import { FormatError } from '../../errors/index.ts'
import { warnNoThreads } from '../../internal/warn-no-threads.ts'
import type { HashWorker } from './hash-worker.ts'

/** Most workers unless the caller asks for more. */
const MOST_WORKERS = 8
/** Streams of the native hasher that one worker takes before another is started: it is as fast as two sockets. */
const NATIVE_STREAMS = 4
/** PERF: a shorter stream of the native hasher is hashed before a worker has got its first message. */
const LEAST_NATIVE_BYTES = 4 * 1024 * 1024
/** PERF: a worker costs 25 to 40 ms of processor time to start, in which the native hasher takes as many bytes. */
const START_NATIVE_BYTES = 64 * 1024 * 1024

let limit: number | undefined
let processors: number | undefined
/** Bytes of the long streams that were announced for the native hasher so far. */
let announced = 0
let workers: HashWorker[] = []
/** Number of long streams that are hashed on the calling thread. */
let streamsHere = 0

/**
 * Sets how many worker threads hash long streams, for the whole process; 0 hashes everything on the calling thread.
 * Open streams keep their thread.
 *
 * @example
 * ```ts
 * setHashWorkers(0) // hash everything on the calling thread
 * ```
 *
 * @defaultValue the number of processors, at most 8
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` unless it is a whole number from 0 to 64.
 */
export function setHashWorkers(count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > 64) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `hash workers must be a whole number from 0 to 64, not ${count}`)
  }
  limit = count
  const surplus = workers.filter((worker, i) => i >= count && worker.load === 0)
  workers = workers.filter(worker => !surplus.includes(worker))
  for (const worker of surplus) void worker.terminate()
}

/** Maximum number of hash workers. */
export function hashWorkerLimit(): number {
  limit ??= Math.min(MOST_WORKERS, availableParallelism())
  return limit
}

/** True if the calling thread hashes long streams too, because a processor would be idle otherwise. */
function takesStreamsHere(): boolean {
  processors ??= Math.max(2, availableParallelism())
  return hashWorkerLimit() < Math.min(MOST_WORKERS, processors)
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
 * Chooses where to hash a long stream: an idle worker, a new worker while the limit allows one, else the worker with
 * the fewest streams. Without worker threads in this process, every stream stays on the calling thread. If there are
 * fewer workers than processors, the calling thread counts as capacity for one stream; otherwise a processor would idle
 * while one worker hashes two streams.
 */
export async function placeStream(): Promise<StreamPlace> {
  code ??= await import('./hash-worker.ts')
  const idle = workers.find(worker => worker.load === 0) ?? start(code)
  if (idle) return reserve(idle)
  const [least] = [...workers].sort((a, b) => a.load - b.load)
  return least && (streamsHere > 0 || !takesStreamsHere()) ? reserve(least) : stayHere()
}

/**
 * Chooses a worker for a stream of the native hasher with that many bytes, before its first byte, because its state
 * cannot move. Returns `undefined` if the calling thread should hash it: it is short, or so few bytes were announced in
 * this process that starting a worker costs more than it gains.
 */
export async function placeNativeStream(bytes: number): Promise<StreamPlace | undefined> {
  if (bytes < LEAST_NATIVE_BYTES) return undefined
  announced += bytes
  if (announced < START_NATIVE_BYTES || hashWorkerLimit() === 0) return undefined
  code ??= await import('./hash-worker.ts')
  const [least] = [...workers].sort((a, b) => a.load - b.load)
  const worker = least && least.load < NATIVE_STREAMS ? least : (start(code) ?? least)
  return worker && reserve(worker)
}

/** A place with less load than the current one, if streams have ended elsewhere. */
export function betterPlace({ worker }: StreamPlace): StreamPlace | undefined {
  if (worker && worker.load < 2) return undefined
  const idle = workers.find(other => other.load === 0 && other.state === 'ready')
  if (idle) return reserve(idle)
  return worker && streamsHere === 0 && takesStreamsHere() ? stayHere() : undefined
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
    limit = 0
    warnNoThreads(error)
    return undefined
  }
}
