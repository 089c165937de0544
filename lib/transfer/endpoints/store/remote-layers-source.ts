import { verifyBytes } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { type Descriptor, type Repository, remoteLayersOf } from '../../../oci/index.ts'
import type { RegistryClient } from '../../../registry/index.ts'
import { knownSourcesOf } from '../../../store/index.ts'
import { fetchFromRepositories } from '../fetch-from-repositories.ts'
import type { ReadSourceOptions, TransferSource } from '../transfer-source.ts'
import { type ReadableStore, storeSourceEndpoint } from './store-source-endpoint.ts'

/**
 * An image in a store as the source of a push. A layer that the store lacks, because the image was put on a base that
 * was not pulled, is read from the repository that holds the base, and verified.
 */
export function remoteLayersSource(store: ReadableStore, name: string, registry: RegistryClient): TransferSource {
  const source = storeSourceEndpoint(store, name)
  return {
    ...source,
    async origins({ digest }, options = {}) {
      return (await store.stat(digest, options)) ? undefined : repositoriesOf(store, name, digest, options)
    },
    async *readBlob(descriptor, options) {
      const { digest } = descriptor
      if (await store.stat(digest, options)) return yield* source.readBlob(descriptor, options)
      const repositories = await repositoriesOf(store, name, digest, options)
      const fetch = (repository: Repository) => readRemote(registry, repository, descriptor, options)
      yield* fetchFromRepositories(descriptor, repositories, fetch, options)
    },
  }
}

/** The repositories that the entry of the name lists come first; the facts of the store are hints. */
async function repositoriesOf(
  store: ReadableStore,
  name: string,
  digest: Descriptor['digest'],
  { signal }: AbortOptions,
): Promise<readonly Repository[]> {
  const root = await store.references.get(name, { signal })
  const known = await knownSourcesOf(store, digest, { signal })
  const all = [...(root ? remoteLayersOf(root) : []), ...known]
  const isFirst = (one: Repository, i: number) =>
    all.findIndex(({ registry, repository }) => registry === one.registry && repository === one.repository) === i
  return all.filter(isFirst).map(({ registry, repository }) => ({ registry, repository }))
}

function readRemote(
  registry: RegistryClient,
  repository: Repository,
  descriptor: Descriptor,
  options: ReadSourceOptions,
): AsyncIterable<Uint8Array> {
  const { offset, signal, onRepeated } = options
  const chunks = registry.fetchBlob(repository, descriptor, { offset, signal, onRepeated })
  // A blob that is read from the middle on is verified by the registry that receives it.
  return offset === 0 ? verifyBytes(chunks, descriptor) : chunks
}
