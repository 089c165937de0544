import { buffer } from 'node:stream/consumers'
import { createRegistryClient, readTar } from 'layerstore'
import { readArtifact } from 'layerstore/image'

const LAYER = 'application/vnd.devcontainers.layer.v1+tar'

/** A feature of a dev container: what it declares, and its files. */
export interface Feature {
  readonly metadata: { readonly id: string; readonly version: string }
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** Pulls a feature, an OCI artifact whose layer is a tar: `ghcr.io/devcontainers/features/node:1`. */
export async function pullFeature(reference: string): Promise<Feature> {
  await using registry = createRegistryClient()
  const { layers } = await readArtifact(registry, reference)
  const layer = layers.find(({ descriptor }) => descriptor.mediaType === LAYER)
  if (!layer) throw new Error(`${reference} is no feature: it has no layer of type ${LAYER}`)
  const files = new Map<string, Uint8Array>()
  for await (const { path, type, content } of readTar(layer.read())) {
    if (type === 'file') files.set(path, await buffer(content))
  }
  const metadata = files.get('devcontainer-feature.json')
  if (!metadata) throw new Error(`${reference} has no devcontainer-feature.json`)
  return { metadata: JSON.parse(Buffer.from(metadata).toString()), files }
}
