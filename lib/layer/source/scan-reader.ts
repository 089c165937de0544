import type { Worker } from 'node:worker_threads'
import { abortable } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { type Borrowed, borrowed, owned } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'
import { threadArguments } from '../../internal/thread-code.ts'
import { warnNoThreads } from '../../internal/warn-no-threads.ts'
import type { DirectoryScan } from './directory-scan.ts'
import { emptyBatch, type ScanStart, type SourceBatch, scanBatch } from './scan-batch.ts'
import type { SourceStep } from './source-entry.ts'
import type { SourceFault } from './source-fault.ts'
import { decodeSteps } from './step-columns.ts'

/** A decoded batch on the calling thread. */
export interface ReadBatch {
  readonly steps: readonly SourceStep[]
  /** Content of the files of the batch; the reader fills released memory again. */
  readonly bytes: Borrowed<Uint8Array<ArrayBuffer>>
  readonly done: boolean
  readonly fault?: SourceFault | undefined
}

/** Source of batches. */
export interface ScanReader {
  next(): Promise<ReadBatch>
  stop(): Promise<void>
}

/** Number of batches in flight: enough to keep both threads busy. */
const AHEAD = 3
/**
 * PERF: an object of the thread lives for one batch, but V8 would let 48 MB of them accumulate. This limit saves 30 MB
 * for 69,000 entries.
 */
const SMALL_NURSERY = { maxYoungGenerationSizeMb: 4 }
/** Size of a batch on the calling thread; scanning it takes one or two milliseconds. */
const HERE_BYTES = 256 * 1024
const HERE_ENTRIES = 64

/** Scans on the calling thread in slices, and yields to the event loop between them. */
export function readHere(scan: DirectoryScan): ScanReader {
  const yielder = new EventLoopYielder()
  const pool = new Pool(() => emptyBatch(HERE_BYTES))
  return {
    async next() {
      if (yielder.shouldYield()) await yielder.yield()
      const bytes = pool.borrow()
      const { steps, done, fault } = scanBatch(scan, bytes.value, HERE_ENTRIES)
      return { steps, bytes, done, fault }
    },
    async stop() {
      scan.close()
    },
  }
}

/**
 * Continues a scan in a worker thread. At most three batches of 512 KiB are in flight. The thread keeps the process
 * alive only while the caller waits for a batch. If no thread can be started, the scan continues on the calling thread.
 */
export async function readInThread(
  start: ScanStart,
  here: () => ScanReader,
  signal?: AbortSignal,
): Promise<ScanReader> {
  const reader = (await startThread(start)) ?? here()
  return { next: () => abortable(reader.next(), signal), stop: () => reader.stop() }
}

async function startThread(start: ScanStart): Promise<ScanThread | undefined> {
  const { SCAN_THREAD } = await import('./scan-thread-code.ts')
  if (!SCAN_THREAD) return undefined
  const { Worker } = await import('node:worker_threads')
  const options = { workerData: start, resourceLimits: SMALL_NURSERY }
  try {
    return new ScanThread(new Worker(...threadArguments(SCAN_THREAD, options)))
  } catch (error) {
    warnNoThreads(error)
    return undefined
  }
}

class ScanThread implements ScanReader {
  readonly #thread: Worker
  readonly #ready: ReadBatch[] = []
  #waiting: { resolve: (batch: ReadBatch) => void; reject: (error: Error) => void } | undefined
  #spare: ArrayBuffer | undefined
  #dead: Error | undefined

  constructor(thread: Worker) {
    this.#thread = thread
    thread.unref()
    thread.on('message', (batch: SourceBatch) => this.#take(batch))
    thread.on('error', error => this.#die(error))
    thread.on('exit', code => this.#die(new Error(`the thread that reads has ended with ${code}`)))
    for (let i = 0; i < AHEAD; i++) this.#ask()
  }

  async next(): Promise<ReadBatch> {
    const ready = this.#ready.shift()
    if (!ready && this.#dead) throw this.#dead
    const batch = ready ?? (await this.#wait())
    if (!batch.done) this.#ask()
    return batch
  }

  async stop(): Promise<void> {
    await this.#thread.terminate()
  }

  #ask(): void {
    const spare = this.#spare
    this.#spare = undefined
    this.#thread.postMessage(spare, spare ? [spare] : [])
  }

  async #wait(): Promise<ReadBatch> {
    this.#thread.ref()
    try {
      return await new Promise<ReadBatch>((resolve, reject) => {
        this.#waiting = { resolve, reject }
      })
    } finally {
      this.#thread.unref()
      this.#waiting = undefined
    }
  }

  #take({ steps, bytes, done, fault }: SourceBatch): void {
    const batch = { steps: decodeSteps(steps), bytes: this.#lend(bytes), done, fault }
    if (this.#waiting) this.#waiting.resolve(batch)
    else this.#ready.push(batch)
  }

  /** The next message moves released memory to the thread. */
  #lend(bytes: ArrayBuffer | undefined): Borrowed<Uint8Array<ArrayBuffer>> {
    if (!bytes) return owned(new Uint8Array())
    return borrowed(new Uint8Array(bytes), () => {
      this.#spare = bytes
    })
  }

  #die(error: Error): void {
    this.#dead ??= error
    this.#waiting?.reject(this.#dead)
  }
}
