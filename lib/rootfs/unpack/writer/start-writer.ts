import type { Worker } from 'node:worker_threads'
import { type ThreadCode, threadArguments } from '../../../internal/thread-code.ts'
import { warnNoThreads } from '../../../internal/warn-no-threads.ts'
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

/** Starts a writer in a worker thread, or in the calling thread: on request, or if no thread can be started. */
export async function startWriter(where: 'thread' | 'inline'): Promise<Writer> {
  const thread = where === 'thread' ? await startThread() : undefined
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
export async function startThread(given?: ThreadCode): Promise<Worker | undefined> {
  const { WRITER_THREAD } = await import('./writer-thread-code.ts')
  const code = given ?? WRITER_THREAD
  if (!code) return undefined
  const { Worker } = await import('node:worker_threads')
  try {
    return new Worker(...threadArguments(code))
  } catch (error) {
    warnNoThreads(error)
    return undefined
  }
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
