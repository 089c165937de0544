// A patched base under an image that is in the registry already: nothing is built, and no layer moves.
import { createMemoryStore, createRegistryClient, pushImage, readImage, rebaseImage } from 'layerstore'

const store = createMemoryStore()
const registry = createRegistryClient()
const [image, from, onto] = await Promise.all(
  ['app:1.0', 'debian:12.1', 'debian:12.2'].map(name => readImage(registry, `localhost:5000/${name}`)),
)
const rebased = await rebaseImage(store, image, { from, onto })
console.log((await pushImage(store, registry, rebased, 'localhost:5000/app:1.0-patched')).digest)
