import { availableParallelism } from 'node:os'
import { FormatError } from '../../errors/index.ts'
import { HashWorker } from './hash-worker.ts'

let limit: number | undefined
let workers: HashWorker[] = []
/** Long streams that are hashed on the calling thread. */
let streamsHere = 0

/**
 * Sets how many threads hash long streams, for the whole process; 0 hashes everything on the calling thread. Streams that
 * are open stay where they are.
 *
 * @defaultValue one less than the processors there are, at least 1 and at most 4
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

/** How many threads may hash. */
export function hashWorkerLimit(): number {
  limit ??= Math.max(1, Math.min(4, availableParallelism() - 1))
  return limit
}

/** Where a long stream is hashed: by a worker, or on the calling thread. `leave` gives the place up; once is enough. */
export interface StreamPlace {
  readonly worker?: HashWorker
  readonly leave: () => void
}

/** For streams whose worker did not come up: the calling thread, without asking again. */
export const NOWHERE_ELSE: StreamPlace = { leave: () => {} }

/**
 * Finds the place for a long stream: an idle worker, a new one if there may be more, else the calling thread, which counts
 * as a place for one stream, or a second processor would stand by while one worker hashes two.
 */
export function placeStream(): StreamPlace {
  const idle = workers.find(worker => worker.load === 0)
  if (idle) return reserve(idle)
  if (workers.length < hashWorkerLimit()) return reserve(start())
  const [least] = [...workers].sort((a, b) => a.load - b.load)
  return least && streamsHere > 0 ? reserve(least) : stayHere()
}

/** A better place for a stream that is hashed here or by `worker`, if streams have ended and left one. */
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

function start(): HashWorker {
  const worker = new HashWorker(() => {
    workers = workers.filter(other => other !== worker)
  })
  workers.push(worker)
  return worker
}
