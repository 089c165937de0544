import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The last layer of an image in an OCI layout: its file, digest and diffId, and how many layers there are. */
export function lastLayerOf(layout, tag) {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  const named = index.manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag)
  const manifest = JSON.parse(readFileSync(blobPath(layout, (named ?? index.manifests[0]).digest), 'utf8'))
  const config = JSON.parse(readFileSync(blobPath(layout, manifest.config.digest), 'utf8'))
  const { digest } = manifest.layers.at(-1)
  return {
    file: blobPath(layout, digest),
    digest,
    diffId: config.rootfs.diff_ids.at(-1),
    layers: manifest.layers.length,
  }
}

/** Path of a blob in a layout. */
export function blobPath(layout, digest) {
  return join(layout, 'blobs', ...digest.split(':'))
}

/** Clones a layout: blobs are hard-linked and never written to; all other files are copied. */
export function cloneLayout(from, to) {
  const blobs = join('blobs', 'sha256')
  mkdirSync(join(to, blobs), { recursive: true })
  for (const file of readdirSync(join(from, blobs))) linkSync(join(from, blobs, file), join(to, blobs, file))
  for (const file of ['oci-layout', 'index.json']) cpSync(join(from, file), join(to, file))
}
