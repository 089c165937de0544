// A static site on a web server whose layers never leave the registry. Needs no disk.
import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  fromDirectory,
  pushImage,
  readImage,
  writeLayer,
} from 'layerstore'

const store = createMemoryStore()
const registry = createRegistryClient()
const base = await readImage(registry, 'localhost:5000/nginx:1', { platform: 'linux/amd64' })
const site = await writeLayer(store, fromDirectory('public', { at: '/usr/share/nginx/html' }))
const image = await composeImage(store, { base, layers: [site], config: { ExposedPorts: { '80/tcp': {} } } })
console.log((await pushImage(store, registry, image, 'localhost:5000/site:1.0')).digest)
