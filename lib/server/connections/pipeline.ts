import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface WaitingRequest {
  readonly response: ServerResponse
  readonly work: (signal: AbortSignal) => Promise<void>
  readonly done: () => void
}

/**
 * Answers the requests of each connection one after the other, so that only one of them holds files, locks and memory, and
 * aborts it when the connection closes.
 *
 * SAFETY: node:http hands over all requests that a client has sent, and tells only the response that is being written that
 * the connection has closed. A response that waits behind it is never told, and would hold what it has opened for good.
 */
export class Pipelines {
  readonly #open = new WeakMap<Socket, Pipeline>()
  readonly #maxWaiting: number

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /**
   * Calls `work` as soon as the requests before it on its connection are answered. Resolves when it is done, or when the
   * connection has closed before its turn came. `work` must not reject.
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

/** The requests of one connection. */
class Pipeline {
  readonly #socket: Socket
  readonly #maxWaiting: number
  readonly #waiting: WaitingRequest[] = []
  /** Ends the request that is being answered. */
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
    // SPEC: a client sends again what was not answered (RFC 9112, 9.3.2).
    if (this.#waiting.length >= this.#maxWaiting) this.#socket.destroy()
    if (this.#isOver || this.#socket.destroyed) request.done()
    else this.#waiting.push(request)
    if (!this.#current) void this.#serve()
  }

  async #serve(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#current = new AbortController()
      await next.work(this.#current.signal)
      // What the request has started and nobody waits for any more ends with it.
      this.#current.abort()
      next.done()
      // SPEC: after an answer with `Connection: close` no other request is carried out (RFC 9112, 9.6).
      if (!next.response.shouldKeepAlive || this.#socket.destroyed) this.#drop()
    }
    this.#current = undefined
  }

  #drop(): void {
    this.#isOver = true
    for (const { done } of this.#waiting.splice(0)) done()
  }
}
