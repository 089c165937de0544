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

/** Where a long stream is hashed: a worker, or the calling thread until `leave` is called. */
export type StreamPlace = HashWorker | { readonly leave: () => void }

/**
 * Finds the place for a long stream: an idle worker, a new one if there may be more, else wherever there are fewest. The
 * calling thread counts as a place too, or a second processor would stand by while one worker hashes two streams.
 */
export function placeStream(): StreamPlace {
  const idle = workers.find(worker => worker.load === 0)
  if (idle) return idle
  if (workers.length < hashWorkerLimit()) return start()
  const least = [...workers].sort((a, b) => a.load - b.load)[0]
  return least && least.load <= streamsHere ? least : stayHere()
}

function stayHere(): { readonly leave: () => void } {
  streamsHere++
  return {
    leave: () => {
      streamsHere--
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
