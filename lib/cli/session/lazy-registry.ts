import type { RegistryClient } from '../../registry/index.ts'

type Methods = Omit<RegistryClient, typeof Symbol.asyncDispose>
type StreamMethod = 'fetchBlob' | 'listTags' | 'listRepositories' | 'listReferrers'
type CallMethod = Exclude<keyof Methods, StreamMethod | 'sourcesOf' | 'distrustBlob' | 'close'>

/**
 * A client that is made with its first request.
 *
 * PERF: a build that has everything asks no registry. The code of the client and of the connections is a tenth of the
 * time of such a build.
 *
 * @param open - Makes the client; called once.
 */
export function lazyRegistry(open: () => Promise<RegistryClient>): RegistryClient {
  let opening: Promise<RegistryClient> | undefined
  let client: RegistryClient | undefined
  const opened = async () => {
    opening ??= open()
    client = await opening
    return client
  }
  const call = <K extends CallMethod>(method: K): RegistryClient[K] => {
    const later = async (...args: unknown[]) => {
      const one = (await opened())[method] as (...args: unknown[]) => Promise<unknown>
      return one.apply(client, args)
    }
    return later as unknown as RegistryClient[K]
  }
  const stream = <K extends StreamMethod>(method: K): RegistryClient[K] => {
    const later = async function* (...args: unknown[]) {
      const one = (await opened())[method] as (...args: unknown[]) => AsyncIterable<unknown>
      yield* one.apply(client, args)
    }
    return later as unknown as RegistryClient[K]
  }
  return {
    checkAccess: call('checkAccess'),
    resolve: call('resolve'),
    fetchManifest: call('fetchManifest'),
    pushManifest: call('pushManifest'),
    statBlob: call('statBlob'),
    pushBlob: call('pushBlob'),
    statUpload: call('statUpload'),
    mountBlob: call('mountBlob'),
    deleteManifest: call('deleteManifest'),
    deleteTag: call('deleteTag'),
    deleteBlob: call('deleteBlob'),
    fetchBlob: stream('fetchBlob'),
    listTags: stream('listTags'),
    listRepositories: stream('listRepositories'),
    listReferrers: stream('listReferrers'),
    // Mirrors are known once a manifest was fetched, which comes before its blobs.
    sourcesOf: repository => client?.sourcesOf(repository) ?? [repository.registry],
    distrustBlob: (repository, digest) => client?.distrustBlob(repository, digest) ?? false,
    close: async () => client?.close(),
    [Symbol.asyncDispose]: async () => client?.[Symbol.asyncDispose](),
  }
}
