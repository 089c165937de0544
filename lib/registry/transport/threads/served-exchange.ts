import type { LentFile } from '../../../digest/index.ts'
import type { Transport, WireAnswer, WireRequest } from '../transport.ts'
import { AppendedFile } from './appended-file.ts'
import type { BlobQuestion, ExchangeNews, SentError, SentFault, SentFile } from './blob-messages.ts'
import { BodyOutbox, type OutboxParts } from './body-outbox.ts'
import { Pace } from './pace.ts'
import { sendError, sendFault } from './sent-error.ts'

/** A message about an exchange, without its number. */
type News = ExchangeNews extends infer N ? (N extends ExchangeNews ? Omit<N, 'id'> : never) : never

/** One exchange in a blob thread. */
export class ServedExchange {
  readonly #send: (news: News, moved?: ArrayBuffer[]) => void
  readonly #onEnd: () => void
  readonly #stop = new AbortController()
  #outbox: BodyOutbox | undefined
  #answer: WireAnswer | undefined
  #chunks: AsyncIterator<Uint8Array> | undefined
  #file: AppendedFile | undefined
  #pace: Pace | undefined

  constructor(send: (news: News, moved?: ArrayBuffer[]) => void, onEnd: () => void) {
    this.#send = send
    this.#onEnd = onEnd
  }

  /** Sends the request, and the head of its answer to the calling thread. */
  async begin(
    transport: Transport,
    request: WireRequest,
    bodyBytes: number | undefined,
    sourceOf: OutboxParts['sourceOf'],
  ): Promise<void> {
    const { signal } = this.#stop
    const onTook: OutboxParts['onTook'] = piece => this.#send({ type: 'took', piece })
    const outbox = bodyBytes === undefined ? undefined : new BodyOutbox({ sourceOf, onTook })
    this.#outbox = outbox
    const body = outbox && { size: bodyBytes!, reusesMemory: true, open: () => outbox.chunks() }
    try {
      const answer = await transport.exchange({ ...request, signal, body })
      this.#answer = answer
      if (signal.aborted) answer.cancel()
      else this.#send({ type: 'head', status: answer.status, headers: answer.headers })
    } catch (error) {
      this.#end(error)
    } finally {
      // The registry may have answered before the end of the body.
      outbox?.close()
    }
  }

  take(question: BlobQuestion): void {
    if (question.type === 'piece') this.#outbox?.add(question)
    else if (question.type === 'complete') this.#outbox?.complete()
    else if (question.type === 'next') void this.#next()
    else if (question.type === 'append') void this.#append(question.file)
    else if (question.type === 'counted') this.#pace?.counted(question.position)
    else if (question.type === 'save' && this.#file) this.#send({ type: 'saved', progress: this.#file.progress() })
    else if (question.type === 'stop') this.#halt()
  }

  /** Sends a chunk of its own memory: the body may reuse that of its chunks. */
  async #next(): Promise<void> {
    try {
      this.#chunks ??= this.#answer!.body[Symbol.asyncIterator]()
      const { done, value } = await this.#chunks.next()
      if (done) return this.#end()
      const bytes = new Uint8Array(value)
      this.#send({ type: 'chunk', bytes }, [bytes.buffer])
    } catch (error) {
      this.#end(error)
    }
  }

  async #append(lent: LentFile): Promise<void> {
    const pace = new Pace(lent.position, position => this.#send({ type: 'came', position }))
    this.#pace = pace
    let error: SentError | undefined
    let fault: SentFault | undefined
    try {
      const file = await AppendedFile.open(lent)
      this.#file = file
      for await (const chunk of this.#answer!.body) {
        if (this.#stop.signal.aborted) break
        try {
          file.append(chunk)
        } catch (cause) {
          fault = sendFault(cause)
          break
        }
        await pace.moved(file.position)
      }
    } catch (cause) {
      error = sendError(cause)
    }
    pace.end()
    // The body was not read if the hash could not be restored.
    this.#answer?.cancel()
    this.#onEnd()
    this.#send({ type: 'returned', file: { ...this.#returned(lent), fault }, error })
  }

  #returned(lent: LentFile): SentFile {
    return this.#file?.end() ?? { position: lent.position, checkpoint: lent.checkpoint }
  }

  #halt(): void {
    const answered = this.#answer !== undefined && this.#pace === undefined
    if (answered) this.#answer?.cancel()
    // An abort closes the connection; `cancel` keeps it if the body is complete.
    else this.#stop.abort()
    this.#pace?.end()
    if (this.#pace === undefined) this.#onEnd()
  }

  #end(error?: unknown): void {
    this.#onEnd()
    this.#send({ type: 'end', error: error === undefined ? undefined : sendError(error) })
  }
}
