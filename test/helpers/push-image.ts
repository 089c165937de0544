import { createHash } from 'node:crypto'
import { httpRequest } from './http-request.ts'

/** The blobs of a small image, and their digests. */
export interface RawImage {
  readonly manifest: Buffer
  readonly digest: string
  readonly mediaType: string
  readonly blobs: readonly { readonly digest: string; readonly bytes: Buffer }[]
}

/** Computes a SHA-256 digest with node:crypto. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Makes an image of one layer, whose bytes are no tar: registries do not parse layers. */
export function rawImage(seed: string, members: object = {}): RawImage {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const layer = Buffer.from(`layer ${seed}`)
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers' }, seed }))
  const describe = (bytes: Buffer, type: string) => ({ mediaType: type, digest: sha256(bytes), size: bytes.length })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [describe(layer, 'application/vnd.oci.image.layer.v1.tar')],
      ...members,
    }),
  )
  const blobs = [config, layer].map(bytes => ({ digest: sha256(bytes), bytes }))
  return { manifest, digest: sha256(manifest), mediaType, blobs }
}

/** Uploads an image by HTTP, blobs first. */
export async function pushImage(base: string, repository: string, tag: string, image: RawImage): Promise<void> {
  for (const { digest, bytes } of image.blobs) {
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
    const { status } = await httpRequest(base, 'POST', path, { body: bytes })
    if (status !== 201) throw new Error(`the blob was answered with ${status}`)
  }
  const { status } = await httpRequest(base, 'PUT', `/v2/${repository}/manifests/${tag}`, {
    headers: { 'content-type': image.mediaType },
    body: image.manifest,
  })
  if (status !== 201) throw new Error(`the manifest was answered with ${status}`)
}
