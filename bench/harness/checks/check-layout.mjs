import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blobPath } from '../../contenders/oci-layout.mjs'
import { sha256Of } from './sha256-of.mjs'

/** Verifies that a layout holds every blob of an image, complete, and (with `named`) names its manifest. */
export async function checkLayout(layout, { digest, blobs }, { named = true } = {}) {
  for (const blob of blobs) {
    const path = blobPath(layout, blob.digest)
    if (!existsSync(path)) throw new Error(`the layout lacks ${blob.digest}`)
    if ((await sha256Of(path)) !== blob.digest) throw new Error(`the layout has other bytes for ${blob.digest}`)
  }
  if (!named) return
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  if (!manifests.some(manifest => manifest.digest === digest)) throw new Error(`index.json does not name ${digest}`)
}
