import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { RegistryError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { networkError, timeoutError } from './network-error.ts'
import { readBody } from './read-body.ts'
import { sendBody } from './send-body.ts'
import { SourceFailure, type Timeouts, type Transport, type WireAnswer, type WireRequest } from './transport.ts'

/** Google's registries send headers beyond Node's limit of 16 KiB. */
const MAX_HEADER_BYTES = 64 * 1024
/** Node's default closes connections between the phases of a transfer; the hint of the server still holds. */
const KEEP_ALIVE_MS = 30_000

/** How a transport is set up. */
export interface NodeTransportOptions {
  readonly timeouts: Timeouts
  /** Certificate authorities trusted besides the built-in ones, PEM. */
  readonly ca?: readonly string[] | undefined
}

interface Protocol {
  readonly agent: Agent
  open(options: RequestOptions): ClientRequest
}

/** {@link Transport} over node:http and node:https, which are loaded with the first request. */
export class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions
  readonly #protocols = new Map<string, Promise<Protocol>>()
  #closed = false

  constructor(options: NodeTransportOptions) {
    this.#options = options
  }

  async exchange(request: WireRequest): Promise<WireAnswer> {
    request.signal?.throwIfAborted()
    const protocol = await this.#protocol(request.url.protocol)
    for (let stale = 0; ; stale++) {
      const call = openCall(protocol, request)
      try {
        return await converse(call, request, this.#options.timeouts)
      } catch (error) {
        // A kept connection that the server has closed meanwhile says nothing about the server: use a new one, once.
        // A body is not sent again here: the upload that it belongs to may have taken part of it.
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

  #protocol(name: string): Promise<Protocol> {
    let protocol = this.#protocols.get(name)
    if (!protocol) {
      protocol = name === 'https:' ? loadHttps(this.#options.ca, this.#closed) : loadHttp(this.#closed)
      this.#protocols.set(name, protocol)
    }
    return protocol
  }
}

// PERF: loading node:http and node:https takes 4 ms, which a program that never asks a registry does not pay.
async function loadHttp(closed: boolean): Promise<Protocol> {
  const http = await import('node:http')
  const agent = new http.Agent(agentOptions(closed))
  return { agent, open: options => http.request({ ...options, agent }) }
}

async function loadHttps(extra: readonly string[] | undefined, closed: boolean): Promise<Protocol> {
  const [https, tls] = await Promise.all([import('node:https'), import('node:tls')])
  const agent = new https.Agent(agentOptions(closed))
  const ca = extra ? { ca: [...tls.rootCertificates, ...extra] } : {}
  return { agent, open: options => https.request({ ...options, ...ca, agent }) }
}

function agentOptions(closed: boolean) {
  return { keepAlive: true, timeout: KEEP_ALIVE_MS, maxFreeSockets: closed ? 0 : 16, scheduling: 'lifo' } as const
}

function isReset(error: unknown): boolean {
  return error instanceof RegistryError && isErrno(error.cause, 'ECONNRESET', 'EPIPE')
}

function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
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
    ...(request.insecure ? { rejectUnauthorized: false } : {}),
  })
}

/** Sends the request on its connection and waits for the head of the answer. */
async function converse(call: ClientRequest, request: WireRequest, timeouts: Timeouts): Promise<WireAnswer> {
  const { signal } = request
  const abort = () => call.destroy()
  signal?.addEventListener('abort', abort)
  call.once('close', () => signal?.removeEventListener('abort', abort))
  const over = new AbortController()
  try {
    const head = headOf(call)
    const sending = send(call, request, timeouts, over.signal)
    // An answer may come before everything is sent; what is still being read for sending then must not delay it.
    const message = await Promise.race([head, sending.then(() => head)])
    return answerOf(call, message, request, timeouts)
  } catch (error) {
    call.destroy()
    if (signal?.aborted) throw signal.reason
    if (error instanceof SourceFailure) throw error
    throw networkError(request, error)
  } finally {
    over.abort()
  }
}

function headOf(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.on('error', reject)
    call.once('close', () => reject(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' })))
    call.once('response', message => {
      // Whatever breaks from here on is reported to whoever reads the body.
      message.on('error', () => {})
      resolve(message)
    })
  })
}

async function send(call: ClientRequest, request: WireRequest, timeouts: Timeouts, over: AbortSignal): Promise<void> {
  const { body } = request
  if (!body) call.end()
  await within(call, connected(call), 'connection', timeouts.connectMs, over)
  if (body) await sendBody(call, body, timeouts.idleMs, over)
  const ms = body ? timeouts.uploadAnswerMs : timeouts.answerMs
  void within(call, new Promise(() => {}), 'answer', ms, over)
}

function connected(call: ClientRequest): Promise<void> {
  return new Promise(resolve => {
    call.once('socket', socket => {
      if (!socket.connecting) resolve()
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => resolve())
    })
  })
}

/** Waits for a phase of the exchange, which is destroyed if the phase takes too long; stops when the exchange is over. */
async function within(call: ClientRequest, phase: Promise<void>, what: string, ms: number, over: AbortSignal) {
  if (over.aborted) return
  const timer = setTimeout(() => call.destroy(timeoutError(what, ms)), ms)
  const ended = new Promise<void>(resolve => over.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([phase, ended])
  clearTimeout(timer)
}

function answerOf(call: ClientRequest, message: IncomingMessage, request: WireRequest, timeouts: Timeouts): WireAnswer {
  // An answer to a request that is not sent completely: the connection cannot be used again.
  const endsCall = !call.writableEnded
  async function* body() {
    try {
      yield* readBody(message, timeouts.idleMs)
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
