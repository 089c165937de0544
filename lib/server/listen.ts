import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Settings } from './options.ts'

/** Where a registry server listens. */
export interface RegistryAddress {
  /** `http://host:port`. */
  readonly url: string
  /** Address that it listens on. */
  readonly host: string
  /** Port that it listens on. */
  readonly port: number
}

/** Starts a plain http server. `node:http` is loaded here, by those who listen. */
export async function openServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  options: { host?: string | undefined; port?: number | undefined },
  settings: Settings,
): Promise<{ server: Server; address: RegistryAddress }> {
  const { createServer } = await import('node:http')
  const server = createServer(
    // A blob may take hours to upload: not the request as a whole is limited, but the time in which nothing moves.
    { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 75_000 },
    handler,
  )
  server.timeout = settings.connectionIdleMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { address: host, port, family } = server.address() as AddressInfo
  return { server, address: { url: `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`, host, port } }
}

/** Stops listening at once, and closes what is still connected when `finished` resolves. */
export async function closeServer(server: Server, finished: Promise<void>): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  await finished
  server.closeAllConnections()
  await closed
}
