import type { ClientRequest, IncomingMessage } from 'node:http'
import { RegistryError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { boundInterimAnswers } from '../../internal/http/bound-interim-answers.ts'
import { boundPhase } from '../../internal/http/bound-phase.ts'
import { dropIdle } from '../../internal/http/drop-idle.ts'
import { BodySourceError, sendBody } from '../../internal/http/send-body.ts'
import { untilConnected } from '../../internal/http/until-connected.ts'
import type { HostLookup } from '../addresses/address-scope.ts'
import { BodyInbox } from './body-inbox.ts'
import { guardedLookup, systemLookup } from './guarded-lookup.ts'
import { networkError } from './network-error.ts'
import { protocolError } from './protocol-error.ts'
import { loadProtocol, type Protocol } from './protocols.ts'
import type { ProxyRule } from './proxy-rule.ts'
import { readBody } from './read-body.ts'
import { takeOver } from './take-over.ts'
import type { TakenBody } from './taken-body.ts'
import type { Timeouts, TlsSettings, Transport, WireAnswer, WireRequest } from './transport.ts'

/** Google's registries send headers beyond Node's limit of 16 KiB. */
const MAX_HEADER_BYTES = 64 * 1024
/** Options of a transport. */
export interface NodeTransportOptions {
  readonly timeouts: Timeouts
  /** Certificate authorities trusted besides the built-in ones, PEM. */
  readonly ca?: readonly string[] | undefined
  /** Chooses the proxy for a URL. @defaultValue none */
  readonly proxyFor?: ProxyRule | undefined
  /** Resolves host names to addresses. @defaultValue the system's resolver */
  readonly lookup?: HostLookup | undefined
}

/** {@link Transport} over node:http and node:https, which it loads with the first request. */
export class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions
  readonly #protocols = new Map<string, Promise<Protocol>>()
  readonly #numbers = new Map<TlsSettings, number>()
  #closed = false

  constructor(options: NodeTransportOptions) {
    this.#options = options
  }

  async exchange(request: WireRequest): Promise<WireAnswer> {
    const proxy = this.#options.proxyFor?.(request.url)
    const protocol = await this.#protocol(request, proxy)
    // The signal may have been aborted meanwhile.
    request.signal?.throwIfAborted()
    for (let stale = 0; ; stale++) {
      const call = openCall(protocol, request)
      try {
        return await converse(call, request, this.#options.timeouts, proxy)
      } catch (error) {
        // The server may have closed a kept connection while it was idle: retry once on a new connection. A request
        // with a body is not retried here, since the upload may have received part of it.
        const bodiless = (request.body?.size ?? 0) === 0
        if (stale > 0 || !call.reusedSocket || !bodiless || !isReset(error)) throw error
        dropIdle(protocol.agent)
      }
    }
  }

  close(): void {
    this.#closed = true
    for (const protocol of this.#protocols.values()) {
      protocol.then(
        ({ agent }) => {
          agent.maxFreeSockets = 0
          dropIdle(agent)
        },
        () => {},
      )
    }
  }

  /**
   * Returns the agent for a request. Connections are shared only between requests with the same scheme, proxy, reach
   * and TLS settings, since these decide where a connection leads and which certificates were presented and checked.
   */
  #protocol({ url, tls, reach = 'anywhere' }: WireRequest, proxy: URL | undefined): Promise<Protocol> {
    const { ca, lookup = systemLookup, timeouts } = this.#options
    const isTls = url.protocol === 'https:'
    const key = [url.protocol, proxy?.href, proxy ? '' : reach, isTls && tls ? this.#numberOf(tls) : ''].join(' ')
    let protocol = this.#protocols.get(key)
    if (!protocol) {
      // PERF: the system's look-up needs no guard if every address is allowed.
      const unguarded = proxy !== undefined || (reach === 'anywhere' && this.#options.lookup === undefined)
      const way = { protocol: url.protocol, ca, tls, proxy, connectMs: timeouts.connectMs, closed: this.#closed }
      protocol = loadProtocol({ ...way, lookup: unguarded ? undefined : guardedLookup(lookup, reach) })
      this.#protocols.set(key, protocol)
    }
    return protocol
  }

  #numberOf(tls: TlsSettings): number {
    const number = this.#numbers.get(tls) ?? this.#numbers.size
    this.#numbers.set(tls, number)
    return number
  }
}

function isReset(error: unknown): boolean {
  return error instanceof RegistryError && isErrno(error.cause, 'ECONNRESET', 'EPIPE')
}

function openCall(protocol: Protocol, request: WireRequest): ClientRequest {
  const { url, method, body } = request
  const length = body ? { 'content-length': String(body.size) } : {}
  return protocol.open({
    method,
    protocol: url.protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { 'user-agent': 'layerstore', 'accept-encoding': 'identity', ...request.headers, ...length },
    maxHeaderSize: MAX_HEADER_BYTES,
  })
}

/** Sends the request on its connection and waits for the head of the answer. */
async function converse(
  call: ClientRequest,
  request: WireRequest,
  timeouts: Timeouts,
  proxy: URL | undefined,
): Promise<WireAnswer> {
  const { signal } = request
  const abort = () => call.destroy()
  signal?.addEventListener('abort', abort)
  call.once('close', () => signal?.removeEventListener('abort', abort))
  const over = new AbortController()
  boundInterimAnswers(call, message => protocolError(request, message))
  try {
    const head = headOf(call, request.borrow === true)
    const sending = send(call, request, timeouts, over.signal)
    // The answer may arrive before the body is sent; a body source that hangs must not delay it.
    const { message, taken } = await Promise.race([head, sending.then(() => head)])
    return taken() ? takenAnswer(taken()!, message, request, timeouts) : answerOf(call, message, request, timeouts)
  } catch (error) {
    call.destroy()
    if (signal?.aborted) throw signal.reason
    if (error instanceof BodySourceError || error instanceof RegistryError) throw error
    throw networkError(request, error, proxy)
  } finally {
    // PERF: without a reason, each request would make an error with a stack.
    over.abort('over')
  }
}

/** Head of an answer. `taken` returns the body if the client took the connection over. */
interface Head {
  readonly message: IncomingMessage
  taken(): TakenBody | undefined
}

function headOf(call: ClientRequest, borrow: boolean): Promise<Head> {
  return new Promise((resolve, reject) => {
    call.on('error', reject)
    call.once('close', () => reject(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' })))
    call.once('response', message => {
      // The reader of the body receives later errors; without a listener they would end the process.
      message.on('error', () => {})
      resolve({ message, taken: borrow ? takeOver(call, message) : () => undefined })
    })
  })
}

async function send(call: ClientRequest, request: WireRequest, timeouts: Timeouts, over: AbortSignal): Promise<void> {
  const { body } = request
  if (!body) call.end()
  await boundPhase(call, untilConnected(call), { what: 'connection', ms: timeouts.connectMs, over })
  if (body) await sendBody(call, body, { what: 'upload', idleMs: timeouts.idleMs, over })
  const ms = body ? timeouts.uploadAnswerMs : timeouts.answerMs
  void boundPhase(call, new Promise(() => {}), { what: 'answer', ms, over })
}

function answerOf(call: ClientRequest, message: IncomingMessage, request: WireRequest, timeouts: Timeouts): WireAnswer {
  // An answer that arrives before the request is completely sent: the connection cannot be reused.
  const endsCall = !call.writableEnded
  async function* body() {
    try {
      yield* readBody(() => new BodyInbox(message), timeouts.idleMs)
    } catch (cause) {
      if (request.signal?.aborted) throw request.signal.reason
      throw networkError(request, cause)
    } finally {
      if (endsCall) call.destroy()
    }
  }
  return {
    status: message.statusCode!,
    url: request.url,
    headers: message.headers,
    body: body(),
    cancel: () => void (message.complete && !endsCall ? message.resume() : call.destroy()),
  }
}

/** Builds the answer of a taken body. node:http has ended the call; only the body uses the connection. */
function takenAnswer(taken: TakenBody, message: IncomingMessage, request: WireRequest, timeouts: Timeouts): WireAnswer {
  const { signal, url } = request
  const abort = () => taken.fail(signal!.reason)
  let begun = false
  async function* body() {
    begun = true
    try {
      yield* readBody(() => taken, timeouts.idleMs)
    } catch (cause) {
      if (signal?.aborted) throw signal.reason
      throw networkError(request, cause)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  const cancel = () => {
    signal?.removeEventListener('abort', abort)
    // SAFETY: a reader that has begun may still read a chunk in the ring. `close` would return the ring to the pool,
    // where the next body would overwrite that chunk; `fail` leaves the release to the reader.
    if (begun) taken.fail(new Error('cancelled'))
    else taken.close()
  }
  return { status: message.statusCode!, url, headers: message.headers, body: body(), cancel }
}
