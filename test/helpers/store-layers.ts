import type { Digest } from '../../lib/digest/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import type { ViewLayer } from '../../lib/rootfs/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { type RawEntry, rawTar } from './raw-tar.ts'

/** Stores archives as uncompressed layers. Nothing is checked, so that tests can store malformed layers. */
export async function storeLayers(
  store: Store,
  layers: readonly (readonly RawEntry[] | Buffer)[],
): Promise<ViewLayer[]> {
  const stored: ViewLayer[] = []
  for (const layer of layers) {
    const info = await store.put(Buffer.isBuffer(layer) ? layer : rawTar(layer as readonly RawEntry[]))
    stored.push({ descriptor: { mediaType: MediaType.OciLayer, ...info }, diffId: info.digest as Digest })
  }
  return stored
}
