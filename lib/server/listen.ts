import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FormatError, ListenError } from '../errors/index.ts'
import type { Settings } from './options.ts'

/** Address of a listening registry server. */
export interface RegistryAddress {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string
  /** IP address that the server listens on. */
  readonly host: string
  /** Port that the server listens on. */
  readonly port: number
}

/** Options of {@link RegistryServer.listen}. */
export interface ListenOptions {
  /** Address or host name to listen on. @defaultValue `'127.0.0.1'` */
  readonly host?: string | undefined
  /** @defaultValue a free port */
  readonly port?: number | undefined
  /** Key and certificate for https, in PEM. @defaultValue plain http */
  readonly tls?: TlsIdentity | undefined
}

/** Private key and certificate for https. */
export interface TlsIdentity {
  /** Private key, in PEM. */
  readonly key: string | Uint8Array
  /** Certificate, followed by the intermediate certificates, in PEM. */
  readonly cert: string | Uint8Array
}

/**
 * Starts a server. PERF: `node:http` and `node:https` are imported here, so programs that do not listen do not load
 * them.
 *
 * @throws `ListenError` `ERR_LISTEN`; `FormatError` `ERR_INVALID_ARGUMENT` for a key or certificate that cannot be
 * used.
 */
export async function openServer(
  handler: RequestListener,
  options: ListenOptions,
  settings: Settings,
): Promise<{ server: Server; address: RegistryAddress }> {
  const { host: wanted = '127.0.0.1', port: wantedPort = 0 } = options
  const server = await createServerFor(handler, options.tls)
  server.timeout = settings.connectionIdleMs
  await new Promise<void>((resolve, reject) => {
    const where = `${wanted.includes(':') ? `[${wanted}]` : wanted}:${wantedPort}`
    server.once('error', cause => {
      reject(new ListenError(where, String((cause as NodeJS.ErrnoException).code), { cause }))
    })
    server.listen(wantedPort, wanted, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
  const { address: host, port, family } = server.address() as AddressInfo
  const scheme = options.tls ? 'https' : 'http'
  return { server, address: { url: `${scheme}://${family === 'IPv6' ? `[${host}]` : host}:${port}`, host, port } }
}

async function createServerFor(handler: RequestListener, tls: TlsIdentity | undefined): Promise<Server> {
  // An upload of a blob may take hours: the request has no total time limit, only an idle limit.
  const limits = { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 75_000 }
  if (!tls) return (await import('node:http')).createServer(limits, handler)
  const pem = (text: string | Uint8Array) => (typeof text === 'string' ? text : Buffer.from(text))
  const { createServer } = await import('node:https')
  try {
    return createServer({ ...limits, key: pem(tls.key), cert: pem(tls.cert) }, handler)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new FormatError(
      'ERR_INVALID_ARGUMENT',
      `key and cert are not a private key and its certificate, PEM (${code})`,
      {
        cause,
      },
    )
  }
}

/** Stops listening at once, and closes the remaining connections when `finished` resolves. */
export async function closeServer(server: Server, finished: Promise<void>): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  await finished
  server.closeAllConnections()
  await closed
}
