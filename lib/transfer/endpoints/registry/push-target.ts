import type { Reference } from '../../../oci/index.ts'
import type { RegistryClient } from '../../../registry/index.ts'
import { type BlobStore, knownSourcesOf } from '../../../store/index.ts'
import { type PushTurns, pushTurns } from '../store/push-turns.ts'
import type { ReadableStore } from '../store/store-source-endpoint.ts'
import { uploadsIn } from '../store/store-uploads.ts'
import type { TransferTarget } from '../transfer-target.ts'
import { registryTargetEndpoint } from './registry-target-endpoint.ts'
import type { RegistryTargetOptions } from './registry-target-options.ts'

/**
 * Opens a registry as the target of a push. The store remembers unfinished uploads, and the repositories that hold each
 * blob.
 */
export function pushTarget(
  store: ReadableStore,
  registry: RegistryClient,
  reference: string | Reference,
  options: Pick<RegistryTargetOptions, 'tags' | 'mountFrom' | 'chunkBytes'>,
): TransferTarget {
  return registryTargetEndpoint(registry, reference, {
    ...options,
    uploads: store.derived && uploadsIn(store.derived),
    turns: turnsIn(store),
    knownSources: (digest, { signal }) => knownSourcesOf(store, digest, { signal }),
  })
}

function turnsIn(store: ReadableStore): PushTurns | undefined {
  return store.ingest && pushTurns(store as ReadableStore & Pick<BlobStore, 'ingest'>)
}
