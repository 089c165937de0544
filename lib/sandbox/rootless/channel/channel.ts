import type { AbortOptions } from '../../../internal/abort.ts'
import type { Message, Port } from './message.ts'
import { unpackError } from './packed-error.ts'
import { type Handlers, Responder } from './responder.ts'

/** Options of {@link Channel.call}. */
export interface CallOptions extends AbortOptions {
  /** Called with what the other side reports while it works. */
  readonly onEvent?: ((value: never) => void) | undefined
}

interface Waiting {
  resolve(message: Message): void
  reject(error: Error): void
  readonly onEvent?: CallOptions['onEvent']
}

/**
 * Calls and byte streams between two processes, in both directions. A stream is read by its consumer in batches of at
 * most about a MiB, so neither side buffers more.
 */
export class Channel {
  readonly #port: Port
  readonly #waiting = new Map<number, Waiting>()
  readonly #onBusy: ((busy: boolean) => void) | undefined
  #last = 0
  #ended: Error | undefined

  /** @param onBusy - Called with whether this side waits for an answer, when that changes. */
  constructor(port: Port, handlers: Handlers, onBusy?: (busy: boolean) => void) {
    this.#port = port
    this.#onBusy = onBusy
    const responder = new Responder(port, handlers)
    port.listen(
      message => {
        if (message.kind === 'call' || message.kind === 'pull' || message.kind === 'stop') responder.take(message)
        else this.#take(message)
      },
      () => responder.stop(),
    )
  }

  /** Rejects everything that waits, and later calls. */
  end(error: Error): void {
    this.#ended ??= error
    for (const id of [...this.#waiting.keys()]) this.#release(id)?.reject(this.#ended)
  }

  /**
   * Calls a handler of the other side. An aborted call rejects with the reason of the signal when the other side has
   * stopped.
   */
  async call<T>(name: string, args: unknown, { signal, onEvent }: CallOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    const id = ++this.#last
    const stop = () => this.#port.send({ kind: 'stop', id })
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const answer = await this.#ask({ kind: 'call', id, name, args }, onEvent)
      return (answer as Extract<Message, { kind: 'answer' }>).value as T
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Reads a stream of the other side. */
  async *read(name: string, args: unknown, { signal }: AbortOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    signal?.throwIfAborted()
    const id = ++this.#last
    const pull = () => this.#ask({ kind: 'pull', id, name, args }) as Promise<Extract<Message, { kind: 'chunks' }>>
    let isDone = false
    try {
      let next = pull()
      while (!isDone) {
        const { chunks, done } = await next
        isDone = done
        signal?.throwIfAborted()
        // The other side fills the next batch while the consumer works on this one.
        if (!done) next = pull()
        next.catch(() => {})
        yield* chunks
      }
    } finally {
      if (!isDone) {
        this.#release(id)?.reject(new Error('the stream was left'))
        this.#port.send({ kind: 'stop', id })
      }
    }
  }

  #ask(message: Extract<Message, { kind: 'call' | 'pull' }>, onEvent?: CallOptions['onEvent']): Promise<Message> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject, onEvent })
      if (this.#waiting.size === 1) this.#onBusy?.(true)
      this.#port.send(message)
    })
  }

  #take(message: Exclude<Message, { kind: 'call' | 'pull' | 'stop' }>): void {
    if (message.kind === 'event') this.#waiting.get(message.id)?.onEvent?.(message.value as never)
    else if (message.kind === 'fault') this.#release(message.id)?.reject(unpackError(message.fault))
    else this.#release(message.id)?.resolve(message)
  }

  #release(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (this.#waiting.delete(id) && this.#waiting.size === 0) this.#onBusy?.(false)
    return waiting
  }
}
