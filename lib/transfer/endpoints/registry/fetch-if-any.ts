import { LayerStoreError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { Reference } from '../../../oci/index.ts'
import type { FetchedManifest, RegistryClient } from '../../../registry/index.ts'

/** Fetches a manifest; resolves to `undefined` if the registry has none of that name. */
export async function fetchIfAny(
  registry: RegistryClient,
  reference: Reference,
  options: AbortOptions | undefined,
): Promise<FetchedManifest | undefined> {
  try {
    return await registry.fetchManifest(reference, options)
  } catch (error) {
    if (LayerStoreError.is(error) && error.code === 'ERR_MANIFEST_NOT_FOUND') return undefined
    throw error
  }
}
