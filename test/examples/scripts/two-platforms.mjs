// One name for two builds: an index that gives each machine its image.
import {
  composeImage,
  composeIndex,
  createRegistryClient,
  fromDirectory,
  openStore,
  pushImage,
  readImage,
  writeLayer,
} from 'layerstore'

const store = await openStore('./images')
const registry = createRegistryClient()
const images = []
for (const platform of ['linux/amd64', 'linux/arm64']) {
  const base = await readImage(registry, 'localhost:5000/debian:12', { platform })
  const program = await writeLayer(store, fromDirectory(`build/${platform}`, { at: '/usr/local/bin' }))
  images.push(await composeImage(store, { base, layers: [program], config: { Cmd: ['tool'] } }))
}
const index = await composeIndex(store, { images })
console.log((await pushImage(store, registry, index, 'localhost:5000/tool:1.0')).digest)
await store.close()
