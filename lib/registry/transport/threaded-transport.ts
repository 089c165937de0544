import { blobThreadLimit } from '../../digest/index.ts'
import { HasherError } from '../../errors/index.ts'
import { NodeTransport, type NodeTransportOptions } from './node-transport.ts'
import type { ThreadClient } from './threads/blob-worker.ts'
import type { Transport, WireAnswer, WireRequest } from './transport.ts'

/** PERF: loaded with the first blob that goes through a thread. */
const load = () => import('./threads/exchange-in-thread.ts')

/**
 * A {@link NodeTransport} that lets a thread carry out a GET whose body is for a file, if its connection is direct. A
 * proxy and a look-up of the caller may be functions, which cannot leave this thread.
 */
export class ThreadedTransport implements Transport {
  readonly #options: NodeTransportOptions
  readonly #here: NodeTransport
  #client: ThreadClient | undefined
  #threads: Awaited<ReturnType<typeof load>> | undefined
  #closed = false

  constructor(options: NodeTransportOptions) {
    this.#options = options
    this.#here = new NodeTransport(options)
  }

  async exchange(request: WireRequest): Promise<WireAnswer> {
    return (await this.#exchangeAway(request)) ?? this.#here.exchange(request)
  }

  close(): void {
    this.#closed = true
    this.#here.close()
    if (this.#client) this.#threads?.dropClient(this.#client)
    this.#client = undefined
  }

  /** Resolves to `undefined` if no thread can carry out the request. */
  async #exchangeAway(request: WireRequest): Promise<WireAnswer | undefined> {
    if (!this.#canLeave(request) || blobThreadLimit() === 0) return undefined
    this.#threads ??= await load()
    request.signal?.throwIfAborted()
    // The client may have been closed meanwhile.
    const thread = this.#closed ? undefined : this.#threads.takeThread()
    if (!thread) return undefined
    const { timeouts, ca } = this.#options
    this.#client ??= this.#threads.addClient({ timeouts, ca })
    try {
      return await this.#threads.exchangeInThread(thread, this.#client, request)
    } catch (error) {
      // The thread crashed before an answer arrived.
      if (error instanceof HasherError) return undefined
      throw error
    }
  }

  #canLeave({ method, url, lender }: WireRequest): boolean {
    const { lookup, proxyFor } = this.#options
    const isDirect = lookup === undefined && proxyFor?.(url) === undefined
    return method === 'GET' && lender?.canLend === true && isDirect && !this.#closed
  }
}
