import { createMemoryStore, createRegistryServer, type Store } from 'layerstore'

/** A registry for one integration test: on a free port of the loopback, in memory, gone at its end. */
export interface TestRegistry extends AsyncDisposable {
  /** Host with port, for references: `127.0.0.1:41234`. */
  readonly host: string
  /** What was pushed. */
  readonly store: Store
  /** The requests, as `PUT /v2/app/manifests/1 201`. */
  readonly requests: readonly string[]
}

/** Starts a registry: `await using registry = await startTestRegistry()`. */
export async function startTestRegistry(): Promise<TestRegistry> {
  const requests: string[] = []
  const store = createMemoryStore()
  const server = createRegistryServer(store, {
    onRequest: ({ method, path, status }) => void requests.push(`${method} ${path} ${status}`),
  })
  const { url } = await server.listen()
  return {
    host: new URL(url).host,
    store,
    requests,
    async [Symbol.asyncDispose]() {
      await server.close()
      await store.close()
    },
  }
}
