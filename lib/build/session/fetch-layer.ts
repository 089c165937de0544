import { BlobNotFoundError } from '../../errors/index.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { recordKnownSource, type Store } from '../../store/index.ts'
import type { ImportedCache } from '../cache/imported-cache.ts'

/** Location of the bytes of a layer that is not in the store. */
export type LayerSource =
  | { readonly repositories: readonly Repository[] }
  | { readonly blobs: Pick<ImportedCache, 'read'> }

/** Fetches one layer into a store. An interrupted fetch is resumed. */
export async function fetchLayer(
  store: Store,
  registry: RegistryClient | undefined,
  descriptor: Descriptor,
  source: LayerSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { digest, size } = descriptor
  if ('blobs' in source) {
    await store.put(source.blobs.read(descriptor, { signal }), { digest, size, signal })
    return
  }
  let failure: unknown
  for (const repository of registry ? source.repositories : []) {
    try {
      const writer = await store.ingest(digest, { size, wait: true, signal })
      await using _kept = writer
      for await (const chunk of registry!.fetchBlob(repository, descriptor, { offset: writer.offset, signal })) {
        await writer.write(chunk)
      }
      await writer.commit({ digest, size, signal })
      await recordKnownSource(store, digest, repository)
      return
    } catch (error) {
      signal?.throwIfAborted()
      failure ??= error
    }
  }
  throw failure ?? new BlobNotFoundError(digest)
}
