import type { RegistryClient } from '../../lib/registry/index.ts'

/** A client that sees repositories which do not share blobs: `has` says which repository holds which blob. */
export function separateRepositories(
  client: RegistryClient,
  has: (repository: string, digest: string) => boolean,
): RegistryClient {
  return new Proxy(client, {
    get: (target, key) => {
      if (key === 'statBlob') {
        return async (repository: { repository: string }, digest: never) =>
          has(repository.repository, digest) ? target.statBlob(repository as never, digest) : undefined
      }
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
