import { createHash } from 'node:crypto'
import { lutimesSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const TYPE = 'application/vnd.oci.image.'

/**
 * Fills a directory with an image layout of `blobs` blobs and `names` names, deterministically: every name has its own
 * manifest and config, layers are shared out among the images, and `garbage` blobs (default: a tenth) are unreferenced
 * and a week old. Files are written directly: through the library it would take minutes.
 */
export function makeBigStore(directory, { blobs, names, garbage = Math.floor(blobs / 10) }) {
  const path = join(directory, 'blobs/sha256')
  mkdirSync(path, { recursive: true })
  const weekAgo = new Date(Date.now() - 7 * 86_400_000)
  const put = (text, mediaType) => {
    const bytes = Buffer.from(text)
    const hex = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(path, hex), bytes, { mode: 0o444 })
    lutimesSync(join(path, hex), weekAgo, weekAgo)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const layersEach = Math.floor((blobs - garbage - 2 * names) / names)
  const manifests = []
  const layers = []
  for (let i = 0; i < names; i++) {
    const own = Array.from({ length: layersEach }, (_, n) => put(`layer ${i} ${n} `.repeat(20), `${TYPE}layer.v1.tar`))
    layers.push(...own)
    const config = put(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Labels: { n: `${i}` } },
        rootfs: { type: 'layers', diff_ids: own.map(({ digest }) => digest) },
      }),
      `${TYPE}config.v1+json`,
    )
    const manifest = { schemaVersion: 2, mediaType: `${TYPE}manifest.v1+json`, config, layers: own }
    const annotations = { 'org.opencontainers.image.ref.name': `example.com/team${i % 50}/app${i % 1000}:1.${i}` }
    manifests.push({ ...put(JSON.stringify(manifest), manifest.mediaType), annotations })
  }
  // Half of the garbage are manifests without a name, so that a search for referrers has something to read.
  for (let i = 0; i < garbage; i++) {
    const config = { mediaType: `${TYPE}config.v1+json`, digest: layers[i % layers.length].digest, size: 1 }
    put(i % 2 ? `garbage ${i} `.repeat(20) : JSON.stringify({ schemaVersion: 2, config, layers: [], n: i }), '')
  }
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return { someDigests: layers.map(layer => layer.digest), image: manifests[0], needed: layers.length + 2 * names }
}
