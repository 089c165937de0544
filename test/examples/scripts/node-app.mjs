// A Node app on a pulled base; the dependencies are a layer of their own, so that a change of the code moves only code.
import {
  composeImage,
  createRegistryClient,
  fromDirectory,
  openStore,
  pullImage,
  pushImage,
  readImage,
  writeLayer,
} from 'layerstore'

const store = await openStore('./images')
const registry = createRegistryClient()
const base = await pullImage(registry, store, 'localhost:5000/node:22-slim', { platform: 'linux/amd64' })
const dependencies = await writeLayer(store, fromDirectory('node_modules', { at: '/app/node_modules' }))
const code = await writeLayer(store, fromDirectory('dist', { at: '/app' }))
const image = await composeImage(store, {
  base: await readImage(store, base.name),
  layers: [dependencies, code],
  config: { WorkingDir: '/app', Cmd: ['node', 'server.js'] },
})
await store.references.set('app:1.0', image.descriptor)
console.log((await pushImage(store, registry, 'app:1.0', 'localhost:5000/app:1.0')).digest)
await store.close()
