import type { Worker } from 'node:worker_threads'
import { unpackFault } from './writer-fault.ts'
import type { WriterAnswer, WriterRequest } from './writer-messages.ts'
import { WriterService } from './writer-service.ts'

/** Where the writing is done. */
export interface Writer {
  /** Does what is asked, after everything that was asked before. Rejects with the writer's first failure. */
  ask(request: WriterRequest): Promise<WriterAnswer>
  /** Ends the writer, whatever it is doing. */
  stop(): Promise<void>
}

/** Starts a writer in a thread of its own, or in this one. */
export async function startWriter(where: 'thread' | 'inline'): Promise<Writer> {
  if (where === 'thread') return new ThreadWriter(await startThread())
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

async function startThread(): Promise<Worker> {
  const { Worker } = await import('node:worker_threads')
  // The file stands beside this one and has its ending: .js when compiled, .ts where TypeScript is run as it is.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  return new Worker(new URL(`./writer-thread${ending}`, import.meta.url))
}

/** A writer in a thread. Its answers come in the order of the requests. */
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
