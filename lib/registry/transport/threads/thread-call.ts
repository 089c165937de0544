import type { LentFile, LentProgress, ReturnedFile } from '../../../digest/index.ts'
import type { HasherError } from '../../../errors/index.ts'
import { Condition } from '../../../internal/concurrency/condition.ts'
import type { AnswerHead, BlobQuestion, BodyPiece, ExchangeNews, TakenPiece } from './blob-messages.ts'
import { receiveError, receiveFault } from './sent-error.ts'

/** A question about an exchange, without its number. */
export type CallQuestion = BlobQuestion extends infer Q
  ? Q extends { readonly id: number }
    ? Omit<Q, 'id'>
    : never
  : never

/** Connection of a call with its thread. */
export interface CallParts {
  ask(question: CallQuestion): void
  /** Called once, when no further message about the exchange is of interest. */
  onOver(): void
}

/** One exchange in a blob thread, seen from the calling thread. One caller waits for one of its answers at a time. */
export class ThreadCall {
  readonly #parts: CallParts
  readonly #changed = new Condition()
  #onTook: ((piece: TakenPiece | undefined) => void) | undefined
  readonly #saving: { resolve: (progress: LentProgress) => void; reject: (error: Error) => void }[] = []
  #head: AnswerHead | undefined
  #chunk: Uint8Array | undefined
  #file: LentFile | undefined
  #position = 0
  #returned: ReturnedFile | undefined
  #over: { readonly error: Error | undefined } | undefined
  /** Resolves when the exchange is over: the thread uses neither the connection nor the file. */
  readonly over: Promise<void>
  #onOver!: () => void
  /** Receives the file when the thread has stopped to use it. */
  #onReturned: ((file: ReturnedFile) => void) | undefined

  constructor(parts: CallParts) {
    this.#parts = parts
    this.over = new Promise(resolve => {
      this.#onOver = resolve
    })
  }

  /** Error of the exchange or of its body, once it is over. */
  get error(): Error | undefined {
    return this.#over?.error
  }

  /** Resolves to the head of the answer. */
  async head(): Promise<AnswerHead> {
    while (!this.#head && !this.#over) await this.#changed.wait()
    if (!this.#head) throw this.error
    return this.#head
  }

  /** Resolves to the next chunk of the body; to `undefined` at its end. */
  async next(): Promise<Uint8Array | undefined> {
    if (!this.#over) this.#parts.ask({ type: 'next' })
    while (!this.#chunk && !this.#over) await this.#changed.wait()
    const chunk = this.#chunk
    this.#chunk = undefined
    if (!chunk && this.error) throw this.error
    return chunk
  }

  /** Sends a piece of the body. Resolves when the thread has read it; to `undefined` if the exchange is over before. */
  async send(piece: BodyPiece): Promise<TakenPiece | undefined> {
    if (this.#over) return undefined
    this.#parts.ask({ type: 'piece', ...piece })
    return new Promise(resolve => {
      this.#onTook = resolve
    })
  }

  /** Tells the thread that no piece of the body follows. */
  complete(): void {
    if (!this.#over) this.#parts.ask({ type: 'complete' })
  }

  /** Lets the thread append the body to a file; `onReturned` is called when the thread has stopped to use it. */
  append(file: LentFile, onReturned: (file: ReturnedFile) => void): void {
    this.#file = file
    this.#position = file.position
    this.#onReturned = onReturned
    if (this.#over) this.#return(file)
    else this.#parts.ask({ type: 'append', file })
  }

  /** Resolves to the position of the file, once it is beyond `position` or the thread has returned the file. */
  async beyond(position: number): Promise<number> {
    while (this.#position <= position && !this.#returned) await this.#changed.wait()
    return this.#position
  }

  /** Tells the thread that the bytes up to a position were counted. */
  counted(position: number): void {
    if (!this.#over) this.#parts.ask({ type: 'counted', position })
  }

  /** Resolves to the progress of the file. */
  async progress(): Promise<LentProgress> {
    if (this.#returned?.lost) throw this.#returned.lost
    if (this.#returned) return this.#returned
    return new Promise((resolve, reject) => {
      this.#saving.push({ resolve, reject })
      this.#parts.ask({ type: 'save' })
    })
  }

  /** Ends the exchange. SAFETY: a thread that has a file must return it before the exchange is over. */
  stop(): void {
    if (this.#over) return
    this.#parts.ask({ type: 'stop' })
    if (!this.#file) this.#end(new Error('the exchange was stopped'))
  }

  receive(news: ExchangeNews): void {
    if (this.#over) return
    if (news.type === 'head') this.#head = news
    else if (news.type === 'chunk') this.#chunk = news.bytes
    else if (news.type === 'took') this.#tell(news.piece)
    else if (news.type === 'came') this.#position = news.position
    else if (news.type === 'saved') this.#saving.shift()?.resolve(news.progress)
    else {
      this.#end(news.error && receiveError(news.error))
      if (news.type === 'returned') {
        const { fault, ...file } = news.file
        this.#return({ ...file, fault: fault && receiveFault(fault) })
      }
    }
    this.#changed.notify()
  }

  /** The thread has ended. SAFETY: it runs no more, so it writes no more. */
  lose(error: HasherError): void {
    if (this.#over) return
    this.#end(error)
    if (this.#file) this.#return({ position: this.#position, lost: error })
  }

  #return(file: ReturnedFile): void {
    this.#returned = file
    this.#position = file.position
    for (const { resolve, reject } of this.#saving.splice(0)) file.lost ? reject(file.lost) : resolve(file)
    this.#onReturned?.(file)
    this.#changed.notify()
  }

  #tell(piece: TakenPiece | undefined): void {
    this.#onTook?.(piece)
    this.#onTook = undefined
  }

  #end(error: Error | undefined): void {
    this.#over = { error }
    this.#tell(undefined)
    this.#parts.onOver()
    this.#onOver()
    this.#changed.notify()
  }
}
