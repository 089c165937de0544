import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import { descriptorOf, sampleBlob } from './sample-blob.ts'

/** An image of twenty different layers of one size, and its blobs. */
export function twentyLayers(layerBytes: number, count = 20) {
  const layers = Array.from({ length: count }, (_, i) => sampleBlob(layerBytes, i + 1))
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
    }),
  )
  const configBlob = { bytes: config, descriptor: descriptorOf(config, MediaType.OciConfig) }
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.OciManifest,
    config: configBlob.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  }
  const bytes = Buffer.from(JSON.stringify(document))
  const blobs: readonly { readonly bytes: Buffer; readonly descriptor: Descriptor }[] = [...layers, configBlob]
  return { layers, blobs, manifest: { bytes, descriptor: descriptorOf(bytes, MediaType.OciManifest) } }
}
