// #region serve
import { allowUsers, createRegistryClient, createRegistryServer, openStore } from 'layerstore'

/** Serves a store to every client that knows the password. Dispose the result to stop. */
export async function serve(directory: string, password: string, port = 5000) {
  const store = await openStore(directory)
  const server = createRegistryServer(store, {
    authorize: allowUsers({ ci: password }),
    onRequest: ({ method, path, status, durationMs }) => console.log(method, path, status, durationMs),
  })
  const { url } = await server.listen({ host: '127.0.0.1', port })
  return {
    url,
    async [Symbol.asyncDispose]() {
      await server.close() // waits for running requests
      await store.close()
    },
  }
}
// #endregion

// #region mirror
/** Serves the images of another registry, and stores each on its first pull. */
export async function mirror(directory: string, registry: string, port = 5001) {
  const store = await openStore(directory)
  const client = createRegistryClient()
  const server = createRegistryServer(store, { upstream: { registry, client } })
  const { url } = await server.listen({ port })
  return {
    url,
    async [Symbol.asyncDispose]() {
      await server.close()
      await client.close()
      await store.close()
    },
  }
}
// #endregion
