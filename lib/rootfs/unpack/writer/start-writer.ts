import { existsSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { unpackFault } from './writer-fault.ts'
import type { WriterAnswer, WriterRequest } from './writer-messages.ts'
import { WriterService } from './writer-service.ts'

/** A running tree writer. */
export interface Writer {
  /** Sends a request, which runs after all earlier requests. Rejects with the writer's first failure. */
  ask(request: WriterRequest): Promise<WriterAnswer>
  /** Stops the writer immediately. */
  stop(): Promise<void>
}

/**
 * Starts a writer in a worker thread, or in the calling thread: on request, or if a bundler has removed the worker's
 * file.
 */
export async function startWriter(where: 'thread' | 'inline'): Promise<Writer> {
  const thread = where === 'thread' ? await startThread(import.meta.url) : undefined
  if (thread) return new ThreadWriter(thread)
  const service = new WriterService()
  let turn: Promise<unknown> = Promise.resolve()
  return {
    ask(request) {
      const answer = turn.then(() => service.answer(request)).then(checked)
      turn = answer.catch(() => undefined)
      return answer
    },
    stop: async () => undefined,
  }
}

/** @internal */
export async function startThread(base: string | undefined): Promise<Worker | undefined> {
  if (base === undefined) return undefined
  // The worker's file is beside this one and has its extension: .js when compiled, .ts when Node runs TypeScript
  // directly.
  const ending = base.slice(base.lastIndexOf('.'))
  const file = new URL(`./writer-thread${ending}`, base)
  if (!existsSync(file)) return undefined
  const { Worker } = await import('node:worker_threads')
  // Options of the process may be invalid for a worker with a file (`--input-type`); only TypeScript needs its loader
  // options.
  return new Worker(file, { execArgv: ending === '.ts' ? process.execArgv : [] })
}

/** A writer in a worker thread. It answers in the order of the requests. */
class ThreadWriter implements Writer {
  readonly #thread: Worker
  readonly #waiting: { resolve: (answer: WriterAnswer) => void; reject: (error: Error) => void }[] = []
  #dead: Error | undefined

  constructor(thread: Worker) {
    this.#thread = thread
    thread.on('message', (answer: WriterAnswer) => this.#waiting.shift()?.resolve(answer))
    thread.on('error', error => this.#die(error))
    thread.on('exit', code => this.#die(new Error(`the writing thread has ended with ${code}`)))
  }

  async ask(request: WriterRequest): Promise<WriterAnswer> {
    if (this.#dead) throw this.#dead
    const answer = new Promise<WriterAnswer>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#thread.postMessage(request)
    return checked(await answer)
  }

  async stop(): Promise<void> {
    await this.#thread.terminate()
  }

  #die(error: Error): void {
    this.#dead ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#dead)
  }
}

function checked(answer: WriterAnswer): WriterAnswer {
  if (answer.fault) throw unpackFault(answer.fault)
  return answer
}
