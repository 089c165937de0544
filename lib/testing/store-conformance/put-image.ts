import { type Descriptor, MediaType } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'

/** Puts the smallest image whose only layer has these bytes. */
export async function putImage(
  store: Store,
  layerBytes: Uint8Array,
): Promise<Record<'layer' | 'config' | 'manifest', Descriptor>> {
  const layer = { mediaType: MediaType.OciLayer, ...(await store.put(layerBytes)) }
  const config = await putDocument(store, MediaType.OciConfig, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const manifest = await putDocument(store, MediaType.OciManifest, {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config,
    layers: [layer],
  })
  return { layer, config, manifest }
}

/** Puts a JSON document and describes it. */
export async function putDocument(store: Store, mediaType: string, document: object): Promise<Descriptor> {
  return { mediaType, ...(await store.put(Buffer.from(JSON.stringify(document)))) }
}
