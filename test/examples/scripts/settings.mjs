// A file on top of an image, and a variable that names it.
import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  fromFiles,
  pushImage,
  readImage,
  writeLayer,
} from 'layerstore'

const store = createMemoryStore()
const registry = createRegistryClient()
const base = await readImage(registry, 'localhost:5000/app:1.0')
const settings = await writeLayer(store, fromFiles({ 'etc/app.json': JSON.stringify({ port: 8080 }) }))
const image = await composeImage(store, { base, layers: [settings], config: { Env: ['APP_CONFIG=/etc/app.json'] } })
console.log((await pushImage(store, registry, image, 'localhost:5000/app:1.0-staging')).digest)
