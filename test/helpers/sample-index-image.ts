import type { Image } from '../../lib/image/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import type { Descriptor } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { sampleImage } from './sample-image.ts'

/** Composes an image for several processors, and names it if a name is given. */
export async function sampleIndexImage(
  store: Store,
  architectures: readonly string[],
  name?: string,
): Promise<{ descriptor: Descriptor; images: Image[] }> {
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const images = []
  for (const architecture of architectures) {
    images.push(await sampleImage(store, [{ arch: architecture }, { shared: 'same' }], { architecture }))
  }
  const manifests = images.map(({ descriptor }, i) => ({
    ...descriptor,
    platform: { os: 'linux', architecture: architectures[i] },
  }))
  const info = await store.put(canonicalJson({ schemaVersion: 2, mediaType, manifests, 'x.unknown': [1] }))
  const descriptor = { mediaType, ...info }
  if (name) await store.references.set(name, descriptor)
  return { descriptor, images }
}
