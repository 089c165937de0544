// The next version on a stick: a file for `docker load` with only the layers that the other side does not have.
import { composeImage, fromDirectory, openStore, readImage, saveArchive, writeLayer } from 'layerstore'

const store = await openStore('./images')
const base = await readImage(store, 'app:1.0')
const change = await writeLayer(store, fromDirectory('patch', { at: '/app' }))
const next = await composeImage(store, { base, layers: [change] })
await store.references.set('app:1.1', next.descriptor)
const { bytes } = await saveArchive(store, 'app:1.1', 'app-1.1.tar', { have: ['app:1.0'], format: 'docker' })
console.log(`app-1.1.tar: ${bytes} bytes`)
await store.close()
