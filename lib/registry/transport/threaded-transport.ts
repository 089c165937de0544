import { blobThreadLimit } from '../../digest/index.ts'
import { HasherError } from '../../errors/index.ts'
import { BodySourceError } from '../../internal/http/send-body.ts'
import { NodeTransport, type NodeTransportOptions } from './node-transport.ts'
import type { ThreadClient } from './threads/blob-worker.ts'
import type { OpenedBody } from './threads/lent-body.ts'
import type { Transport, WireAnswer, WireRequest } from './transport.ts'

/** PERF: loaded with the first blob that goes through a thread. */
const load = () => import('./threads/exchange-in-thread.ts')

type Threads = Awaited<ReturnType<typeof load>>

/**
 * A {@link NodeTransport} that lets a thread carry out a GET whose body is for a file, or a request whose body is in a
 * file, if its connection is direct. A proxy and a look-up of the caller may be functions, which cannot leave this
 * thread.
 */
export class ThreadedTransport implements Transport {
  readonly #options: NodeTransportOptions
  readonly #here: NodeTransport
  #client: ThreadClient | undefined
  #threads: Threads | undefined
  #closed = false

  constructor(options: NodeTransportOptions) {
    this.#options = options
    this.#here = new NodeTransport(options)
  }

  async exchange(request: WireRequest): Promise<WireAnswer> {
    const threads = await this.#threadsFor(request)
    if (!threads) return this.#here.exchange(request)
    const body = request.body && (await threads.openBody(request.body, request.signal).catch(asLost))
    try {
      if (body && !body.loan) {
        return await this.#here.exchange({ ...request, body: { size: body.size, open: body.chunks } })
      }
      const answer = await this.#exchangeAway(threads, request, body)
      if (answer) return answer
      // The source is opened again, for bytes.
      body?.close()
      return await this.#here.exchange(request)
    } catch (error) {
      return asLost(error)
    } finally {
      body?.close()
    }
  }

  close(): void {
    this.#closed = true
    this.#here.close()
    if (this.#client) this.#threads?.dropClient(this.#client)
    this.#client = undefined
  }

  /** Resolves to `undefined` if no thread can carry out the request. */
  async #threadsFor(request: WireRequest): Promise<Threads | undefined> {
    if (!this.#canLeave(request) || blobThreadLimit(leastProcessors(request)) === 0) return undefined
    this.#threads ??= await load()
    request.signal?.throwIfAborted()
    return this.#threads.canStartThreads() ? this.#threads : undefined
  }

  /** Resolves to `undefined` if no thread could carry out the request. */
  async #exchangeAway(
    threads: Threads,
    request: WireRequest,
    body: OpenedBody | undefined,
  ): Promise<WireAnswer | undefined> {
    const known = body?.loan && threads.threadOf(body.loan)
    // The client may have been closed meanwhile.
    const thread = this.#closed ? undefined : (known ?? threads.takeThread())
    if (!thread) return undefined
    const { timeouts, ca } = this.#options
    this.#client ??= threads.addClient({ timeouts, ca })
    try {
      return await threads.exchangeInThread(thread, this.#client, request, body)
    } catch (error) {
      // The thread crashed before an answer arrived. It may have sent a part of a body, unless it never did anything.
      if (error instanceof HasherError && !(body && thread.hasAnswered)) return undefined
      throw error
    }
  }

  #canLeave({ method, url, lender, body }: WireRequest): boolean {
    const { lookup, proxyFor } = this.#options
    const isDirect = lookup === undefined && proxyFor?.(url) === undefined
    const isLong = (method === 'GET' && lender?.canLend === true) || body?.openLent !== undefined
    return isLong && isDirect && !this.#closed
  }
}

/**
 * PERF: on two processors, a pull over plain http does not gain: its connection, read past node:http, leaves little to
 * the calling thread, and a worker hashes already (`transfer/rationale.md`, D23).
 */
function leastProcessors({ url, body }: WireRequest): number {
  return body === undefined && url.protocol === 'http:' ? 3 : 2
}

/** A source whose thread has ended is not at fault. */
function asLost(error: unknown): never {
  throw error instanceof BodySourceError && error.cause instanceof HasherError ? error.cause : error
}
