import type { RegistryClient } from '../../registry/index.ts'
import { FirstUse } from './first-use.ts'

type Methods = Omit<RegistryClient, typeof Symbol.asyncDispose>
type StreamMethod = 'fetchBlob' | 'listTags' | 'listRepositories' | 'listReferrers'
type CallMethod = Exclude<keyof Methods, StreamMethod | 'sourcesOf' | 'distrustBlob' | 'close'>

/**
 * Returns a client that is made with its first request.
 *
 * PERF: a build that has everything asks no registry. The code of the client and of the connections is a tenth of the
 * time of such a build.
 *
 * @param open - Makes the client; called once.
 */
export function lazyRegistry(open: () => Promise<RegistryClient>): RegistryClient {
  const client = new FirstUse(open)
  const call = <K extends CallMethod>(method: K): RegistryClient[K] => {
    const later = async (...args: unknown[]) => {
      const opened = await client.open()
      return (opened[method] as (...args: unknown[]) => Promise<unknown>).apply(opened, args)
    }
    return later as unknown as RegistryClient[K]
  }
  const stream = <K extends StreamMethod>(method: K): RegistryClient[K] => {
    const later = async function* (...args: unknown[]) {
      const opened = await client.open()
      yield* (opened[method] as (...args: unknown[]) => AsyncIterable<unknown>).apply(opened, args)
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
    sourcesOf: repository => client.opened?.sourcesOf(repository) ?? [repository.registry],
    distrustBlob: (repository, digest) => client.opened?.distrustBlob(repository, digest) ?? false,
    close: () => client[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}
