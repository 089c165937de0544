import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blobPath } from '../contenders/oci-layout.mjs'

const LAYER = 'application/vnd.oci.image.layer.v1.tar'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/**
 * Writes a layout with an image whose layers are random bytes, for transfers that do not look into them. `shared` are
 * layers of another such image, which it has too.
 */
export function randomImage(layout, sizes, shared = []) {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  const put = (mediaType, bytes) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    writeFileSync(blobPath(layout, digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const putJson = (mediaType, value) => put(mediaType, Buffer.from(JSON.stringify(value)))
  const layers = [
    ...shared.map(({ bytes }) => ({ ...put(LAYER, bytes), bytes })),
    ...sizes.map(size => withBytes(put, randomBytes(size))),
  ]
  const described = layers.map(({ bytes: _, ...descriptor }) => descriptor)
  const rootfs = { type: 'layers', diff_ids: described.map(({ digest }) => digest) }
  const config = putJson(CONFIG, { architecture: 'amd64', os: 'linux', rootfs })
  const manifest = putJson(MANIFEST, { schemaVersion: 2, mediaType: MANIFEST, config, layers: described })
  const annotations = { 'org.opencontainers.image.ref.name': 'app:1' }
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  )
  const blobs = [manifest, config, ...described].map(({ digest, size }) => ({ digest, size }))
  return { layout, name: 'app:1', digest: manifest.digest, blobs, layers, bytes: blobs.reduce((n, b) => n + b.size, 0) }
}

function withBytes(put, bytes) {
  return { ...put(LAYER, bytes), bytes }
}
