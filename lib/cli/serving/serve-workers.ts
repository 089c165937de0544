import type { Cluster, Worker } from 'node:cluster'
import { createPeerRelay } from '../../server/index.ts'
import { WorkersError } from '../failing/workers-error.ts'

/** Environment variable that makes `serve` a worker. */
export const WORKER_VARIABLE = 'LAYERSTORE_SERVE_WORKER'

/** Crashes within {@link WINDOW_MS} after which the server gives up. */
const CRASHES = 5
const WINDOW_MS = 60_000
/** Time that workers get to finish their requests; they abort what remains earlier by themselves. */
const STOP_MS = 30_000

/** Address at which the workers listen. */
export interface WorkersAddress {
  readonly host: string
  readonly port: number
}

/** Parameters of {@link serveWorkers}. */
export interface WorkersOptions {
  readonly count: number
  readonly signal: AbortSignal
  /** Called once, when all workers listen. */
  readonly onListening: (address: WorkersAddress) => void
  /** Called after a worker crashed, and when another one listens in its place. */
  readonly onNote: (message: string) => void
}

/**
 * Runs the command line of this process in `count` worker processes, which share its port, until `signal` fires. A
 * worker that crashes is replaced. Resolves to the exit code of a worker that failed before it listened, and has
 * printed why; to 0 otherwise.
 *
 * @throws {@link WorkersError} if workers crash again and again.
 */
export async function serveWorkers(options: WorkersOptions): Promise<number> {
  const { default: cluster } = await import('node:cluster')
  return new Workers(cluster, options).run()
}

class Workers {
  readonly #cluster: Cluster
  readonly #options: WorkersOptions
  readonly #relay = createPeerRelay()
  readonly #running = new Map<Worker, { readonly online: Promise<void>; readonly exited: Promise<void> }>()
  #crashes: number[] = []
  #address: WorkersAddress | undefined
  readonly #ended: Promise<number>
  #end!: (code: number | Promise<number>) => void
  #isStopping = false

  constructor(cluster: Cluster, options: WorkersOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#ended = new Promise(resolve => {
      this.#end = resolve
    })
  }

  async run(): Promise<number> {
    const { signal, count, onListening } = this.#options
    const stop = () => this.#end(0)
    signal.addEventListener('abort', stop)
    try {
      // The first one creates the store if there is none, and reports what is wrong with the options.
      await this.#start()
      // If it failed, a second worker would print the same.
      if (this.#address) await Promise.all(Array.from({ length: count - 1 }, () => this.#start()))
      if (this.#address && !signal.aborted) onListening(this.#address)
      return await this.#ended
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#stop()
    }
  }

  /** Starts a worker. Resolves when it listens, when it has ended, or when the server ends. */
  #start(replaced?: number): Promise<unknown> {
    const worker = this.#cluster.fork({ [WORKER_VARIABLE]: '1' })
    this.#relay.add(worker)
    const listening = new Promise<void>(resolve => {
      worker.once('listening', ({ address, port }: { address: string; port: number }) => {
        this.#address ??= { host: address, port }
        if (replaced) this.#options.onNote(`worker process ${worker.process.pid} listens in place of ${replaced}`)
        resolve()
      })
    })
    const exited = new Promise<void>(resolve => {
      worker.once('exit', (code: number | null, by: string | null) => {
        this.#running.delete(worker)
        resolve()
        if (this.#isStopping) return
        // A worker that fails before any has listened has printed what is wrong with the options or the store.
        if (this.#address) this.#replace(worker, by ?? `with code ${code}`)
        else this.#end(code || 1)
      })
    })
    const online = new Promise<void>(resolve => worker.once('online', resolve))
    this.#running.set(worker, { online, exited })
    return Promise.race([listening, exited, this.#ended.catch(() => undefined)])
  }

  #replace(worker: Worker, how: string): void {
    const now = performance.now()
    this.#crashes = [...this.#crashes.filter(at => now - at < WINDOW_MS), now]
    if (this.#crashes.length >= CRASHES) {
      this.#end(Promise.reject(new WorkersError(this.#crashes.length, WINDOW_MS, how)))
      return
    }
    this.#options.onNote(`worker process ${worker.process.pid} ended (${how}); another one takes its place`)
    void this.#start(worker.process.pid)
  }

  /**
   * Stops all workers and waits for their end.
   *
   * A worker stops when its channel closes. It gets no signal: Ctrl-C and service managers send one to every process of
   * the group, and a second one would end the worker at once.
   */
  async #stop(): Promise<void> {
    this.#isStopping = true
    const workers = [...this.#running]
    for (const [worker, { online, exited }] of workers) {
      // NODE: a worker that starts says so through its channel before it runs any code of ours. If the channel is
      // closed by then, the worker prints a stack trace of EPIPE (seen on Node 20).
      void Promise.race([online, exited]).then(() => worker.isConnected() && worker.process.disconnect())
    }
    const timer = setTimeout(() => {
      for (const [worker] of workers) worker.process.kill('SIGKILL')
    }, STOP_MS)
    await Promise.all(workers.map(([, { exited }]) => exited))
    clearTimeout(timer)
  }
}
