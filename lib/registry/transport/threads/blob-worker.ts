import { Worker } from 'node:worker_threads'
import type { SourceLoan } from '../../../digest/index.ts'
import { HasherError } from '../../../errors/index.ts'
import { type ThreadCode, threadArguments } from '../../../internal/thread-code.ts'
import type { BlobNews, BlobQuestion, ClientSettings, ThreadRequest } from './blob-messages.ts'
import { ThreadCall } from './thread-call.ts'

/** A client whose requests threads carry out. */
export interface ThreadClient {
  readonly id: number
  readonly settings: ClientSettings
}

/** A source that a thread may read. */
interface LentTo {
  readonly id: number
  /** Called when the thread reads it no more. */
  readonly onBack: () => void
}

/** One blob thread, seen from the calling thread. It keeps the process alive only while an exchange is open. */
export class BlobWorker {
  readonly #worker: Worker
  readonly #calls = new Map<number, ThreadCall>()
  readonly #clients = new Set<number>()
  readonly #sources = new Map<SourceLoan, LentTo>()
  #nextId = 1
  #exchanges = 0
  #isEnding = false
  #hasAnswered = false

  /** @param onGone - Called when the thread has ended; with an error if it never answered. */
  constructor(code: ThreadCode, onGone: (refusal: unknown) => void) {
    this.#worker = new Worker(...threadArguments(code))
    let crash: unknown
    this.#worker.on('message', (news: BlobNews) => {
      this.#hasAnswered = true
      if (news.type === 'reclaimed') this.#reclaimed(news.source)
      else this.#calls.get(news.id)?.receive(news)
    })
    this.#worker.on('error', cause => {
      crash = cause
    })
    this.#worker.on('exit', number => {
      const message = crash === undefined ? `a blob thread ended with code ${number}` : 'a blob thread crashed'
      const error = new HasherError(message, { cause: crash })
      onGone(this.#hasAnswered || this.#isEnding ? undefined : (crash ?? error))
      this.#lose(error)
    })
    // NODE: a `message` listener refs the worker again.
    this.#worker.unref()
  }

  /** Number of open exchanges, and of sources that the thread may read. */
  get load(): number {
    return this.#calls.size + this.#sources.size
  }

  /** Whether the thread has sent a message. Before, it has sent no piece of a body. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
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
    if (this.load === 0) this.#worker.ref()
    this.#calls.set(id, call)
    this.#exchanges++
    this.#ask({ type: 'exchange', id, client: client.id, request })
    return call
  }

  /** Whether the thread has read from a source. */
  has(loan: SourceLoan): boolean {
    return this.#sources.has(loan)
  }

  /** Lets the thread read a source until the end of the loan; returns the number of the source. */
  lend(loan: SourceLoan): number {
    const known = this.#sources.get(loan)
    if (known) return known.id
    const id = this.#nextId++
    this.#sources.set(loan, { id, onBack: () => {} })
    loan.begin(() => this.#reclaim(loan))
    this.#ask({ type: 'lend', source: id, file: loan.source })
    return id
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
    if (this.load === 0) this.#worker.unref()
  }

  #reclaim(loan: SourceLoan): Promise<void> {
    const lent = this.#sources.get(loan)
    // The thread has ended.
    if (!lent) return Promise.resolve()
    return new Promise(onBack => {
      this.#sources.set(loan, { ...lent, onBack })
      this.#ask({ type: 'reclaim', source: lent.id })
    })
  }

  #reclaimed(source: number): void {
    for (const [loan, { id, onBack }] of this.#sources) {
      if (id !== source) continue
      this.#sources.delete(loan)
      onBack()
    }
    if (this.load === 0) this.#worker.unref()
  }

  #lose(error: HasherError): void {
    for (const [loan, { onBack }] of this.#sources) {
      loan.fail({ type: 'lost', error })
      onBack()
    }
    this.#sources.clear()
    for (const call of [...this.#calls.values()]) call.lose(error)
  }
}
