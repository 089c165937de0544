import type { Message, Port } from './message.ts'
import { packError } from './packed-error.ts'

/** Size of a batch in bytes, and in chunks, after which it is sent. */
const BATCH_BYTES = 1 << 20
const BATCH_CHUNKS = 256

/** Parts of a call that a handler may use beside its arguments. */
export interface CallContext {
  /** Fires when the call or the stream is to end. */
  readonly signal: AbortSignal
  /** Reports something to the caller before the result. */
  report(value: unknown): void
}

/** Calls and streams that one side has for the other one. */
export interface Handlers {
  readonly calls: Readonly<Record<string, (args: never, context: CallContext) => Promise<unknown>>>
  readonly streams: Readonly<Record<string, (args: never, context: CallContext) => AsyncIterable<Uint8Array>>>
}

interface Served {
  readonly controller: AbortController
  /** The stream, if it is one. */
  chunks?: AsyncIterator<Uint8Array> | undefined
}

/** Executes what the other side asks for. */
export class Responder {
  readonly #port: Port
  readonly #handlers: Handlers
  readonly #served = new Map<number, Served>()

  constructor(port: Port, handlers: Handlers) {
    this.#port = port
    this.#handlers = handlers
  }

  /** Takes a message; failures go to the other side. */
  take(message: Extract<Message, { kind: 'call' | 'pull' | 'stop' }>): void {
    if (message.kind === 'stop') void this.#end(message.id)
    else void this.#serve(message)
  }

  /** Aborts everything: the other side has ended. */
  stop(): void {
    for (const id of [...this.#served.keys()]) void this.#end(id)
  }

  async #serve(message: Extract<Message, { kind: 'call' | 'pull' }>): Promise<void> {
    const { id } = message
    const served = this.#served.get(id) ?? { controller: new AbortController() }
    this.#served.set(id, served)
    try {
      if (message.kind === 'call') await this.#call(message, served)
      else await this.#pull(message, served)
    } catch (error) {
      this.#served.delete(id)
      this.#port.send({ kind: 'fault', id, fault: packError(error) })
    }
  }

  async #call({ id, name, args }: Extract<Message, { kind: 'call' }>, { controller }: Served): Promise<void> {
    const handler = this.#handlers.calls[name]
    if (!handler) throw new Error(`no call ${name}`)
    const value = await handler(args as never, this.#context(id, controller))
    this.#served.delete(id)
    this.#port.send({ kind: 'answer', id, value })
  }

  async #pull({ id, name, args }: Extract<Message, { kind: 'pull' }>, served: Served): Promise<void> {
    const handler = this.#handlers.streams[name]
    if (!handler) throw new Error(`no stream ${name}`)
    served.chunks ??= handler(args as never, this.#context(id, served.controller))[Symbol.asyncIterator]()
    const chunks: Uint8Array[] = []
    let bytes = 0
    let done = false
    while (!done && bytes < BATCH_BYTES && chunks.length < BATCH_CHUNKS) {
      const next = await served.chunks.next()
      done = next.done === true
      if (next.done) break
      // The stream may reuse its buffer for the next chunk.
      chunks.push(next.value.slice())
      bytes += next.value.byteLength
    }
    if (done) this.#served.delete(id)
    this.#port.send({ kind: 'chunks', id, chunks, done })
  }

  #context(id: number, { signal }: AbortController): CallContext {
    return { signal, report: value => this.#port.send({ kind: 'event', id, value }) }
  }

  async #end(id: number): Promise<void> {
    const served = this.#served.get(id)
    if (!served) return
    served.controller.abort(new Error('the caller has stopped'))
    if (!served.chunks) return
    this.#served.delete(id)
    // A stream whose next chunk is awaited ends after it.
    await served.chunks.return?.().catch(() => {})
  }
}
