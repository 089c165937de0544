import { openStore } from '../../disk-store/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { canonicalJson } from '../../internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import {
  CACHE_ARTIFACT_TYPE,
  CACHE_CONFIG_TYPE,
  CACHE_NAME,
  cacheConfigOf,
  cachedLayers,
} from '../cache/cache-artifact.ts'
import type { StepRecord } from '../cache/step-record.ts'
import type { BuildSession } from '../session/build-session.ts'

/** A place for an exported cache. */
export type CacheTarget =
  | {
      /** Reference in a registry. */
      readonly reference: string
    }
  | {
      /** Path of a store on disk, which is also an OCI image layout. */
      readonly directory: string
      /** Name of the cache in the store. */
      readonly name?: string | undefined
    }
  | {
      /** Path of an archive, which is replaced. */
      readonly archive: string
    }

/**
 * Writes the records of a build, with their layers, as an artifact to another place. Layers that are there already are
 * not written again.
 */
export async function exportCache(
  session: BuildSession,
  records: readonly StepRecord[],
  target: CacheTarget,
  { registry, signal }: AbortOptions & { readonly registry?: RegistryClient | undefined },
): Promise<Descriptor> {
  const { store } = session
  const layers = cachedLayers(records)
  await session.assureLayers(
    records.map(({ layer, diffId }) => ({ descriptor: layer, diffId })),
    { mayFetch: true, signal },
  )
  const config = await store.put(canonicalJson(cacheConfigOf(records)), { signal })
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    artifactType: CACHE_ARTIFACT_TYPE,
    config: { mediaType: CACHE_CONFIG_TYPE, ...config },
    layers,
  }
  const info = await store.put(canonicalJson(manifest), { signal })
  const descriptor = { mediaType: MediaType.OciManifest, ...info }
  if ('archive' in target) {
    const { saveArchive } = await import('../../archive/index.ts')
    await saveArchive(store, [{ image: descriptor, name: CACHE_NAME }], target.archive, { signal })
  } else if ('directory' in target) {
    const { copyImage } = await import('../../transfer/index.ts')
    await using other = await openStore(target.directory)
    const to = { store: other, name: target.name ?? CACHE_NAME }
    await copyImage({ store, name: descriptor.digest }, to, { signal })
  } else {
    if (!registry) throw new FormatError('ERR_INVALID_ARGUMENT', 'a cache in a registry needs the option registry')
    const { pushImage } = await import('../../transfer/index.ts')
    await pushImage(store, registry, descriptor.digest, target.reference, { signal })
  }
  return descriptor
}
