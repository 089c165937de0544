import type { RepairSource } from '../maintenance/index.ts'
import {
  asReference,
  type Descriptor,
  formatReference,
  isDocumentRole,
  type Reference,
  type Repository,
  roleOf,
} from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import { knownSourcesOf, type Store } from '../store/index.ts'
import { fetchFromRepositories } from './endpoints/fetch-from-repositories.ts'

/**
 * Uses a repository of a registry as a source for {@link repairStore}; the tag and digest of the reference are ignored.
 *
 * @example
 * ```ts
 * await repairStore(store, await checkStore(store), [repairFromRegistry(registry, 'ghcr.io/team/app')])
 * ```
 */
export function repairFromRegistry(registry: RegistryClient, reference: string | Reference): RepairSource {
  const { registry: host, repository } = asReference(reference)
  const from = { registry: host, repository }
  return {
    label: formatReference(from),
    fetch: (descriptor, options = {}) => fetchFrom(registry, from, descriptor, options.signal),
  }
}

/**
 * Uses the repositories that a store remembers for each blob, from earlier pulls and pushes, as a source for
 * {@link repairStore}.
 *
 * @example
 * ```ts
 * await repairStore(store, await checkStore(store), [repairFromKnownRegistries(registry, store)])
 * ```
 */
export function repairFromKnownRegistries(registry: RegistryClient, store: Pick<Store, 'derived'>): RepairSource {
  return {
    label: 'known repositories',
    async *fetch(descriptor, { signal } = {}) {
      const known = await knownSourcesOf(store, descriptor.digest, { signal })
      const fetch = (from: Repository) => fetchFrom(registry, from, descriptor, signal)
      yield* fetchFromRepositories(descriptor, known, fetch, { signal })
    },
  }
}

async function* fetchFrom(
  registry: RegistryClient,
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { digest } = descriptor
  if (isDocumentRole(roleOf(descriptor))) {
    yield (await registry.fetchManifest({ ...repository, digest }, { signal })).bytes
  } else {
    yield* registry.fetchBlob(repository, descriptor, { signal })
  }
}
