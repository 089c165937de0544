import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { BucketError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { boundInterimAnswers } from '../../../internal/http/bound-interim-answers.ts'
import { boundPhase } from '../../../internal/http/bound-phase.ts'
import { dropIdle } from '../../../internal/http/drop-idle.ts'
import { sendBody } from '../../../internal/http/send-body.ts'
import { untilConnected } from '../../../internal/http/until-connected.ts'
import { readAnswerBody } from './read-answer-body.ts'
import type { BucketTimeouts, HttpAnswer, HttpRequest } from './wire.ts'

/** Idle connections are closed after this time; services close theirs later, so few requests meet a closed one. */
const KEEP_ALIVE_MS = 15_000
const MOST_IDLE = 32
const MOST_HEADER_BYTES = 64 * 1024

/** Options of a client. */
export interface HttpClientOptions {
  /** Address of the service; its path is not used. */
  readonly origin: URL
  readonly timeouts: BucketTimeouts
  /** Certificate authorities trusted besides the built-in ones, PEM. */
  readonly ca?: readonly string[] | undefined
}

interface Protocol {
  readonly agent: Agent
  request(options: RequestOptions): ClientRequest
}

/** Sends single HTTP requests to one origin over connections that it keeps; it repeats and signs nothing. */
export class HttpClient {
  readonly #options: HttpClientOptions
  #protocol: Promise<Protocol> | undefined

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  /** Rejects with the error of the connection, with `BodySourceError`, or with the reason of the signal. */
  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    this.#protocol ??= loadProtocol(this.#options)
    const protocol = await this.#protocol
    // The signal may have been aborted meanwhile.
    request.signal?.throwIfAborted()
    for (let stale = 0; ; stale++) {
      const call = this.#open(protocol, request)
      boundInterimAnswers(call, message => this.#protocolError(request, message))
      try {
        return await converse(call, request, this.#options.timeouts)
      } catch (error) {
        // The service may have closed a kept connection while it was idle: once, the request goes over a new one.
        if (stale > 0 || !call.reusedSocket || request.body || !isErrno(error, 'ECONNRESET', 'EPIPE')) throw error
        dropIdle(protocol.agent)
      }
    }
  }

  close(): void {
    this.#protocol?.then(
      ({ agent }) => dropIdle(agent),
      () => {},
    )
  }

  #protocolError({ method, path }: HttpRequest, message: string): BucketError {
    const url = `${this.#options.origin.origin}${path.split('?', 1)[0]}`
    return new BucketError('ERR_BUCKET_PROTOCOL', message, { method, url })
  }

  #open({ request }: Protocol, { method, path, headers, body }: HttpRequest): ClientRequest {
    const { origin } = this.#options
    const length = body || method === 'PUT' || method === 'POST' ? { 'content-length': String(body?.size ?? 0) } : {}
    return request({
      method,
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port,
      path,
      headers: { 'user-agent': 'layerstore', 'accept-encoding': 'identity', ...headers, ...length },
      maxHeaderSize: MOST_HEADER_BYTES,
    })
  }
}

// PERF: a program that sends no request does not load node:http and node:https, which takes 4 ms.
async function loadProtocol({ origin, ca }: HttpClientOptions): Promise<Protocol> {
  const options = { keepAlive: true, timeout: KEEP_ALIVE_MS, maxFreeSockets: MOST_IDLE, scheduling: 'lifo' } as const
  if (origin.protocol === 'http:') {
    const http = await import('node:http')
    const agent = closingUnaskedFor(new http.Agent(options))
    return { agent, request: sent => http.request({ ...sent, agent }) }
  }
  const [https, tls] = await Promise.all([import('node:https'), import('node:tls')])
  const trusted = ca ? { ca: [...tls.rootCertificates, ...ca] } : {}
  const agent = closingUnaskedFor(new https.Agent({ ...options, ...trusted }))
  return { agent, request: sent => https.request({ ...sent, agent }) }
}

/**
 * Closes an idle connection on which bytes arrive.
 *
 * SAFETY: a middlebox that sends an answer twice would otherwise have the second one taken for the answer to the next
 * request on that connection.
 */
function closingUnaskedFor<T extends Agent>(agent: T): T {
  const guards = new WeakMap<Socket, () => void>()
  agent.on('free', (socket: Socket) => {
    const guard = guards.get(socket) ?? (() => void socket.destroy())
    guards.set(socket, guard)
    if (socket.readableLength > 0) socket.destroy()
    else socket.on('data', guard)
  })
  const { reuseSocket } = agent
  agent.reuseSocket = (socket, request) => {
    socket.off('data', guards.get(socket as Socket) ?? (() => {}))
    reuseSocket.call(agent, socket, request)
  }
  return agent
}

/** Sends the request on its connection and waits for the head of the answer. */
async function converse(call: ClientRequest, request: HttpRequest, timeouts: BucketTimeouts): Promise<HttpAnswer> {
  const { signal } = request
  const abort = () => void call.destroy()
  signal?.addEventListener('abort', abort)
  call.once('close', () => signal?.removeEventListener('abort', abort))
  const over = new AbortController()
  try {
    const head = headOf(call)
    const sending = send(call, request, timeouts, over.signal)
    // The answer may arrive before the body is sent; a body source that hangs must not delay it.
    const message = await Promise.race([head, sending.then(() => head)])
    return answerOf(call, message, request, timeouts)
  } catch (error) {
    call.destroy()
    if (signal?.aborted) throw signal.reason
    throw error
  } finally {
    // PERF: without a reason, each request would make an error with a stack.
    over.abort('over')
  }
}

function headOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.on('error', reject)
    call.once('close', () => reject(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' })))
    call.once('response', message => {
      // The reader of the body receives later errors; without a listener they would end the process.
      message.on('error', () => {})
      resolve(message)
    })
  })
}

async function send(call: ClientRequest, request: HttpRequest, timeouts: BucketTimeouts, over: AbortSignal) {
  const { body, answerMs = timeouts.answerMs } = request
  if (!body) call.end()
  await boundPhase(call, untilConnected(call), { what: 'connection', ms: timeouts.connectMs, over })
  if (body) await sendBody(call, body, { what: 'object', idleMs: timeouts.idleMs, over })
  void boundPhase(call, new Promise(() => {}), { what: 'answer', ms: answerMs, over })
}

function answerOf(
  call: ClientRequest,
  message: IncomingMessage,
  { signal }: HttpRequest,
  { idleMs }: BucketTimeouts,
): HttpAnswer {
  // An answer that arrives before the request is completely sent: the connection cannot be reused.
  const endsCall = !call.writableEnded
  async function* body() {
    try {
      yield* readAnswerBody(message, idleMs)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw error
    } finally {
      if (endsCall) call.destroy()
    }
  }
  return { status: message.statusCode!, headers: message.headers, body: body() }
}
