import type { Agent, AgentOptions, ClientRequest, RequestOptions } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { connectDivertible } from './divertible-socket.ts'
import { openTunnel, proxyHeaders } from './proxy-tunnel.ts'
import type { TlsSettings } from './transport.ts'

/**
 * Node's default of 5 s closes connections between the phases of a transfer. A `Keep-Alive` hint of the server still
 * applies.
 */
const KEEP_ALIVE_MS = 30_000

/** A way to reach hosts, with its pool of connections. */
export interface Protocol {
  readonly agent: Agent
  open(options: RequestOptions): ClientRequest
}

/** Settings that distinguish two pools of connections. */
export interface Way {
  /** `http:` or `https:`. */
  readonly protocol: string
  /** Certificate authorities trusted besides the built-in ones, PEM. */
  readonly ca: readonly string[] | undefined
  readonly tls: TlsSettings | undefined
  readonly proxy: URL | undefined
  readonly lookup: LookupFunction | undefined
  readonly connectMs: number
  /** Keep no idle connection. */
  readonly closed: boolean
}

// PERF: loading node:http and node:https takes 4 ms; a program that sends no request does not load them.
/** Creates the pool of connections for one way. Connections of one way are never used for another. */
export async function loadProtocol(way: Way): Promise<Protocol> {
  if (way.protocol === 'https:') return loadHttps(way)
  if (way.proxy) return loadHttpByProxy(way, way.proxy)
  const http = await import('node:http')
  const agent = new http.Agent(agentOptions(way.closed))
  Object.assign(agent, { createConnection: connectDivertible })
  return { agent, open: options => http.request({ ...options, ...lookupOf(way), agent }) }
}

async function loadHttps(way: Way): Promise<Protocol> {
  const [https, context] = await Promise.all([import('node:https'), contextOf(way)])
  const agent = new https.Agent(agentOptions(way.closed))
  const { proxy, connectMs } = way
  if (proxy) {
    const tunnel = (options: ConnectionOptions, done: (error: Error | null, socket?: unknown) => void) =>
      void openTunnel(proxy, options, connectMs).then(
        socket => done(null, socket),
        (error: Error) => done(error),
      )
    Object.assign(agent, { createConnection: tunnel })
  }
  return { agent, open: options => https.request({ ...options, ...context, ...lookupOf(way), agent }) }
}

/** SPEC: a plain http request through a proxy names the whole URL (RFC 9112, absolute-form). */
async function loadHttpByProxy(way: Way, proxy: URL): Promise<Protocol> {
  const { request, Agent } = proxy.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const agent = new Agent(agentOptions(way.closed))
  return {
    agent,
    open(options) {
      const port = options.port ? `:${options.port}` : ''
      const host = `${String(options.host).includes(':') ? `[${options.host}]` : options.host}${port}`
      const headers = { ...(options.headers as Record<string, string>), host, ...proxyHeaders(proxy) }
      const target = { host: proxy.hostname.replace(/^\[|\]$/g, ''), port: proxy.port, protocol: proxy.protocol }
      return request({ ...options, ...target, path: `http://${host}${options.path}`, headers, agent })
    },
  }
}

/** PERF: created once for each way, since parsing 150 root certificates takes longer than most requests. */
async function contextOf({ ca = [], tls: settings }: Way): Promise<ConnectionOptions> {
  const extra = [...ca, ...(settings?.ca ?? [])]
  const strictness = settings?.insecure ? { rejectUnauthorized: false } : {}
  if (extra.length === 0 && settings?.cert === undefined) return strictness
  const tls = await import('node:tls')
  const { cert, key, passphrase } = settings ?? {}
  const authorities = extra.length > 0 ? { ca: [...tls.rootCertificates, ...extra] } : {}
  return { ...strictness, secureContext: tls.createSecureContext({ ...authorities, cert, key, passphrase }) }
}

function agentOptions(closed: boolean): AgentOptions {
  return { keepAlive: true, timeout: KEEP_ALIVE_MS, maxFreeSockets: closed ? 0 : 16, scheduling: 'lifo' }
}

function lookupOf({ lookup }: Way): { lookup?: LookupFunction } {
  return lookup ? { lookup } : {}
}
