import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface WaitingRequest {
  readonly response: ServerResponse
  readonly work: (signal: AbortSignal) => Promise<void>
  readonly done: () => void
}

/**
 * Answers the requests of each connection one at a time, so that only one of them holds files, locks and memory. Aborts
 * the running request when the connection closes.
 *
 * SAFETY: node:http emits all pipelined requests at once. When the connection closes, it notifies only the response
 * that is being written; the responses queued behind it would keep their open files for ever. Here a queued request
 * opens nothing.
 */
export class Pipelines {
  readonly #open = new WeakMap<Socket, Pipeline>()
  readonly #maxWaiting: number

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /**
   * Calls `work` when the earlier requests of the connection are answered. Resolves when `work` is done, or when the
   * connection closes before. `work` must not reject.
   */
  run(
    { socket }: IncomingMessage,
    response: ServerResponse,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    let pipeline = this.#open.get(socket)
    if (!pipeline) {
      pipeline = new Pipeline(socket, this.#maxWaiting)
      this.#open.set(socket, pipeline)
    }
    const added = pipeline
    return new Promise(done => added.add({ response, work, done }))
  }
}

/** Queue of the requests of one connection. */
class Pipeline {
  readonly #socket: Socket
  readonly #maxWaiting: number
  readonly #waiting: WaitingRequest[] = []
  /** Aborts the running request. */
  #current: AbortController | undefined
  #isOver: boolean

  constructor(socket: Socket, maxWaiting: number) {
    this.#socket = socket
    this.#maxWaiting = maxWaiting
    this.#isOver = socket.destroyed
    socket.once('close', () => {
      this.#drop()
      this.#current?.abort()
    })
  }

  add(request: WaitingRequest): void {
    // SPEC: a client repeats requests that were not answered (RFC 9112, 9.3.2), so a too long queue may be dropped.
    if (this.#waiting.length >= this.#maxWaiting) this.#socket.destroy()
    if (this.#isOver || this.#socket.destroyed) request.done()
    else this.#waiting.push(request)
    if (!this.#current) void this.#serve()
  }

  async #serve(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#current = new AbortController()
      await next.work(this.#current.signal)
      // Stop what the request has started and left running: its result has no consumer any more.
      this.#current.abort()
      next.done()
      // SPEC: after an answer with `Connection: close` no further request is processed (RFC 9112, 9.6).
      if (!next.response.shouldKeepAlive || this.#socket.destroyed) this.#drop()
    }
    this.#current = undefined
  }

  #drop(): void {
    this.#isOver = true
    for (const { done } of this.#waiting.splice(0)) done()
  }
}
