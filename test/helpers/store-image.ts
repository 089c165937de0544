import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { Store } from '../../lib/store/index.ts'

/** Puts the smallest image whose only layer has these bytes; uses no room above the store. */
export async function putStoreImage(store: Store, layerBytes: string | Uint8Array = 'layer') {
  const layer = { mediaType: MediaType.OciLayer, ...(await store.put(Buffer.from(layerBytes))) }
  const config = await putStoreDocument(store, MediaType.OciConfig, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const manifest = await putStoreDocument(store, MediaType.OciManifest, {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config,
    layers: [layer],
  })
  return { layer, config, manifest }
}

/** Puts a JSON document and describes it. */
export async function putStoreDocument(store: Store, mediaType: string, document: object): Promise<Descriptor> {
  return { mediaType, ...(await store.put(Buffer.from(JSON.stringify(document)))) }
}
