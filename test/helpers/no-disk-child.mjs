// What test/journeys/no-disk.test.ts runs where nothing can be written: a file on top of a base in a registry, pushed.
import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  fromFiles,
  pushImage,
  readImage,
  writeLayer,
} from 'layerstore'

const [base, target] = process.argv.slice(2)
// Credentials from a function: those of docker and podman lie in files.
const registry = createRegistryClient({ credentials: () => undefined })
const store = createMemoryStore()
const image = await composeImage(store, {
  base: await readImage(registry, base),
  layers: [await writeLayer(store, fromFiles({ 'app/server.js': 'console.log(1)' }))],
  config: { Cmd: ['node', '/app/server.js'] },
})
const { digest } = await pushImage(store, registry, image, target)
process.stdout.write(digest)
