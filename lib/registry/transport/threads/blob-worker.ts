import { Worker } from 'node:worker_threads'
import { HasherError } from '../../../errors/index.ts'
import { type ThreadCode, threadArguments } from '../../../internal/thread-code.ts'
import type { BlobNews, BlobQuestion, ClientSettings, ThreadRequest } from './blob-messages.ts'
import { ThreadCall } from './thread-call.ts'

/** A client whose requests threads carry out. */
export interface ThreadClient {
  readonly id: number
  readonly settings: ClientSettings
}

/** One blob thread, seen from the calling thread. It keeps the process alive only while an exchange is open. */
export class BlobWorker {
  readonly #worker: Worker
  readonly #calls = new Map<number, ThreadCall>()
  readonly #clients = new Set<number>()
  #nextId = 1
  #exchanges = 0
  #isEnding = false

  /** @param onGone - Called when the thread has ended; with an error if it never answered. */
  constructor(code: ThreadCode, onGone: (refusal: unknown) => void) {
    this.#worker = new Worker(...threadArguments(code))
    let hasAnswered = false
    let crash: unknown
    this.#worker.on('message', (news: BlobNews) => {
      hasAnswered = true
      this.#calls.get(news.id)?.receive(news)
    })
    this.#worker.on('error', cause => {
      crash = cause
    })
    this.#worker.on('exit', number => {
      const message = crash === undefined ? `a blob thread ended with code ${number}` : 'a blob thread crashed'
      const error = new HasherError(message, { cause: crash })
      onGone(hasAnswered || this.#isEnding ? undefined : (crash ?? error))
      this.#lose(error)
    })
    // NODE: a `message` listener refs the worker again.
    this.#worker.unref()
  }

  /** Number of open exchanges. */
  get load(): number {
    return this.#calls.size
  }

  /** Number of exchanges so far. */
  get exchanges(): number {
    return this.#exchanges
  }

  /** Begins an exchange. */
  open(client: ThreadClient, request: ThreadRequest): ThreadCall {
    if (!this.#clients.has(client.id)) this.#ask({ type: 'client', client: client.id, settings: client.settings })
    this.#clients.add(client.id)
    const id = this.#nextId++
    const call = new ThreadCall({
      ask: question => this.#ask({ ...question, id } as BlobQuestion),
      onOver: () => this.#close(id),
    })
    if (this.#calls.size === 0) this.#worker.ref()
    this.#calls.set(id, call)
    this.#exchanges++
    this.#ask({ type: 'exchange', id, client: client.id, request })
    return call
  }

  /** Closes the connections of a client: idle ones now, busy ones when their exchange ends. */
  forget(client: ThreadClient): void {
    if (this.#clients.delete(client.id)) this.#ask({ type: 'forget', client: client.id })
  }

  /** Ends the thread. Open exchanges fail. */
  async terminate(): Promise<void> {
    this.#isEnding = true
    await this.#worker.terminate()
  }

  #ask(question: BlobQuestion): void {
    this.#worker.postMessage(question)
  }

  #close(id: number): void {
    this.#calls.delete(id)
    if (this.#calls.size === 0) this.#worker.unref()
  }

  #lose(error: HasherError): void {
    for (const call of [...this.#calls.values()]) call.lose(error)
  }
}
