import { createRegistryServer, type RegistryServerOptions } from '../../lib/server/index.ts'
import type { Store } from '../../lib/store/index.ts'

/** Serves a store on a free loopback port, and records every request, as `GET /v2/…`. */
export async function serveStore(
  store: Store,
  options: RegistryServerOptions = {},
): Promise<{ host: string; requests: string[]; [Symbol.asyncDispose](): Promise<void> }> {
  const requests: string[] = []
  const server = createRegistryServer(store, options)
  const { createServer } = await import('node:http')
  const http = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    server.handler(request, response)
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as { port: number }
  return {
    host: `127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise(resolve => http.close(resolve))
      await server.close()
    },
  }
}
