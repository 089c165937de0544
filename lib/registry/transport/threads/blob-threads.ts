import { blobThreadLimit, type SourceLoan } from '../../../digest/index.ts'
import { warnNoThreads } from '../../../internal/warn-no-threads.ts'
import { BLOB_THREAD } from './blob-thread-code.ts'
import { BlobWorker, type ThreadClient } from './blob-worker.ts'

/** Time after which a thread without work ends. */
const IDLE_MS = 30_000

let workers: BlobWorker[] = []
const clients = new Set<ThreadClient>()
let nextClient = 1
let areRefused = false
let timer: NodeJS.Timeout | undefined

/** The blob threads of this process. */
export function blobThreads(): readonly BlobWorker[] {
  return workers
}

/** Registers a client. Call {@link dropClient} when it is closed. */
export function addClient(settings: ThreadClient['settings']): ThreadClient {
  const client = { id: nextClient++, settings }
  clients.add(client)
  return client
}

/** Closes the connections of a client. Without clients, idle threads end. */
export function dropClient(client: ThreadClient): void {
  clients.delete(client)
  for (const worker of workers) worker.forget(client)
  if (clients.size === 0) endIdle()
}

/** Returns the thread with the least work; starts one if all are busy and the limit allows it. */
export function takeThread(): BlobWorker | undefined {
  const limit = areRefused ? 0 : blobThreadLimit()
  const [least] = workers.slice(0, limit).sort((a, b) => a.load - b.load)
  const chosen = least && (least.load === 0 || workers.length >= limit) ? least : (start(limit) ?? least)
  if (chosen) endWhenIdle()
  return chosen
}

/** Whether threads can be started in this process, as far as it is known. */
export function canStartThreads(): boolean {
  return !areRefused && BLOB_THREAD !== undefined
}

/** The thread that reads a source already: no other one has its hash. */
export function threadOf(loan: SourceLoan): BlobWorker | undefined {
  return workers.find(worker => worker.has(loan))
}

function start(limit: number): BlobWorker | undefined {
  if (workers.length >= limit || BLOB_THREAD === undefined) return undefined
  try {
    const worker: BlobWorker = new BlobWorker(BLOB_THREAD, refusal => {
      workers = workers.filter(other => other !== worker)
      if (refusal !== undefined) refuse(refusal)
    })
    workers = [...workers, worker]
    return worker
  } catch (error) {
    return refuse(error)
  }
}

function refuse(cause: unknown): undefined {
  areRefused = true
  warnNoThreads(cause)
}

function endWhenIdle(): void {
  if (timer) timer.refresh()
  else timer = setTimeout(endIdle, IDLE_MS).unref()
}

function endIdle(): void {
  const idle = workers.filter(({ load }) => load === 0)
  workers = workers.filter(worker => !idle.includes(worker))
  for (const worker of idle) void worker.terminate()
  if (workers.length > 0) endWhenIdle()
}
