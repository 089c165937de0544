// Opens the root filesystem of a stored image as a stack, in a directory without unpacked layers.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { load, report } from './report.mjs'

await report(async ({ library, layout, name, scratch, hasher }) => {
  const { openStore, readImage } = await load(library)
  const { overlaySnapshots } = await load(library, 'sandbox/index')
  const store = await openStore(layout, { hasher, readOnly: true })
  const directory = `${scratch}/snapshots`
  const image = await readImage(store, name, { platform: { os: 'linux', architecture: 'amd64' } })
  const stack = await overlaySnapshots({ directory }).openStack(store, image.layers)
  await stack.close()
  await store.close()
  const layers = join(directory, readdirSync(directory)[0], 'layers')
  return { outcome: { directory: join(layers, readdirSync(layers)[0], 'fs') } }
})
