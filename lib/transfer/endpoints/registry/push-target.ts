import type { Reference } from '../../../oci/index.ts'
import type { RegistryClient } from '../../../registry/index.ts'
import { type BlobStore, blobSources } from '../../../store/index.ts'
import { type PushTurns, pushTurns } from '../store/push-turns.ts'
import type { ReadableStore } from '../store/source-in-store.ts'
import { uploadsIn } from '../store/store-uploads.ts'
import type { TransferTarget } from '../transfer-target.ts'
import type { RegistryTargetOptions } from './registry-target-options.ts'
import { targetInRegistry } from './target-in-registry.ts'

/** A registry that is filled from a store, which remembers unfinished uploads and where blobs have been seen. */
export function pushTarget(
  store: ReadableStore,
  registry: RegistryClient,
  reference: string | Reference,
  options: Pick<RegistryTargetOptions, 'tags' | 'mountFrom' | 'chunkBytes'>,
): TransferTarget {
  return targetInRegistry(registry, reference, {
    ...options,
    uploads: store.derived && uploadsIn(store.derived),
    turns: turnsIn(store),
    knownSources: (digest, { signal }) => blobSources(store, digest, { signal }),
  })
}

function turnsIn(store: ReadableStore): PushTurns | undefined {
  return store.ingest && pushTurns(store as ReadableStore & Pick<BlobStore, 'ingest'>)
}
