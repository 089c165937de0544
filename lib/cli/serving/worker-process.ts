import { createProcessPeers, type RegistryPeers } from '../../server/index.ts'
import { WORKER_VARIABLE } from './serve-workers.ts'

/** This process as a worker of `serve`. */
export interface WorkerProcess extends Disposable {
  readonly peers: RegistryPeers
  /** Fires when the process that started this one closes the channel or ends. */
  readonly stop: AbortSignal
}

/** Connects this process with the one that started it; `undefined` if it is no worker of `serve`. */
export async function workerProcess(env: NodeJS.ProcessEnv): Promise<WorkerProcess | undefined> {
  if (env[WORKER_VARIABLE] === undefined || !process.connected) return undefined
  const { default: cluster } = await import('node:cluster')
  if (!cluster.worker) return undefined
  // NODE: without this a worker exits at once when its channel closes (Node 20, 22, 24; test 'SIGTERM lets all workers
  // finish their requests'), and would break off what it is sending.
  cluster.worker.exitedAfterDisconnect = true
  // NODE: closing the server sends a message to the parent. Ctrl-C stops both at once. If the parent has closed the
  // channel by then, the worker gets EPIPE as an 'error' event, which would end it, with the requests that it finishes
  // (seen on Node 20; test 'a worker whose channel closes …'). 'disconnect' tells that the channel is closed.
  cluster.worker.on('error', () => {})
  const stop = new AbortController()
  process.once('disconnect', () => stop.abort())
  return {
    peers: createProcessPeers(),
    stop: stop.signal,
    // The open channel would keep this process alive.
    [Symbol.dispose]: () => {
      if (process.connected) process.disconnect()
    },
  }
}
