import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { sampleImage } from './sample-image.ts'

/** Composes an index with one small image for each architecture, and names it. */
export async function sampleIndex(store: Store, architectures: readonly string[], name: string): Promise<Descriptor> {
  const manifests: Descriptor[] = []
  for (const architecture of architectures) {
    const { descriptor } = await sampleImage(store, [{ 'arch.txt': architecture }], { architecture })
    manifests.push({ ...descriptor, platform: { os: 'linux', architecture } })
  }
  const info = await store.put(canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }))
  const descriptor = { mediaType: MediaType.OciIndex, ...info }
  await store.references.set(name, descriptor)
  return descriptor
}
