import { createRegistryServer, type RegistryServer, type RegistryServerOptions } from '../../lib/server/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { type HttpAnswer, httpRequest } from './http-request.ts'

/** A registry on a free loopback port, with shortcuts for requests. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string
  readonly store: Store
  readonly server: RegistryServer
  readonly ask: (
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: Uint8Array | string | Iterable<Uint8Array> },
  ) => Promise<HttpAnswer>
}

/** Serves a store; by default an empty one in memory. */
export async function runningServer(
  options: RegistryServerOptions = {},
  store: Store = createMemoryStore(),
): Promise<RunningServer> {
  const server = createRegistryServer(store, options)
  const { url } = await server.listen()
  return {
    url,
    store,
    server,
    ask: (method, path, request) => httpRequest(url, method, path, request),
    async [Symbol.asyncDispose]() {
      await server.close()
      await store.close()
    },
  }
}
