// Builds a Dockerfile with RUN as root: `run-build-child.mjs STORE NAME DOCKERFILE [SECRET]`, where base:1 is in the
// store. Prints `ready`, begins with the first byte of its input, and prints how often a layer of the base was read.
import { join } from 'node:path'
import { buildImage, dockerfileStages } from '../../lib/build/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { bubblewrap, machineSnapshots } from '../../lib/sandbox/index.ts'

const [directory, name, dockerfile, secret] = process.argv.slice(2)
const store = await openStore(directory, { durability: 'none' })
const { layers } = await readImage(store, 'base:1')
const base = new Set(layers.map(({ descriptor }) => descriptor.digest))
let reads = 0
const counted = new Proxy(store, {
  get(target, key) {
    const value = Reflect.get(target, key, target)
    if (key !== 'read') return typeof value === 'function' ? value.bind(target) : value
    return (digest, options) => {
      if (base.has(digest)) reads++
      return target.read(digest, options)
    }
  },
})
console.log('ready')
await new Promise(resolve => process.stdin.once('data', resolve))
await buildImage(counted, dockerfileStages(dockerfile), {
  names: [name],
  noCache: secret !== undefined,
  executor: bubblewrap(),
  snapshots: machineSnapshots({ directory: join(directory, '.layerstore/snapshots') }),
  cacheMounts: join(directory, '.layerstore/cache/mounts'),
  secrets: { canary: secret ?? '' },
  onProgress: event => event.kind === 'step-started' && console.log(event.title),
})
await store.close()
console.log(JSON.stringify({ reads }))
process.exit(0)
