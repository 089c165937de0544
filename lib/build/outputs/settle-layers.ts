import type { ImageLayer } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, type Repository, withRemoteLayers } from '../../oci/index.ts'
import { recordKnownSource } from '../../store/index.ts'
import type { BuildSession } from '../session/build-session.ts'

/** Options of {@link settleLayers}. */
export interface SettleLayersOptions extends AbortOptions {
  /** Fetch the layers of bases too, for outputs that read them. Otherwise they stay in their registry. */
  readonly needsAll: boolean
}

/**
 * Makes every layer of an image available: layers of imported caches are fetched; layers of bases that are not in the
 * store stay in their registry. Resolves to the descriptor for the names of the image, which records those registries.
 */
export async function settleLayers(
  session: BuildSession,
  descriptor: Descriptor,
  layers: readonly ImageLayer[],
  { needsAll, signal }: SettleLayersOptions,
): Promise<Descriptor> {
  const wanted = layers.filter(layer => needsAll || session.repositoriesOf(layer.descriptor.digest).length === 0)
  await session.assureLayers(wanted, { mayFetch: true, signal })
  const left = new Map<string, Repository>()
  for (const { descriptor: layer } of layers) {
    if (await session.store.stat(layer.digest, { signal })) continue
    for (const repository of session.repositoriesOf(layer.digest)) {
      left.set(`${repository.registry}/${repository.repository}`, repository)
      // A push mounts the layer from there.
      await recordKnownSource(session.store, layer.digest, repository)
    }
  }
  return withRemoteLayers(descriptor, [...left.values()])
}
