// Opens a stack of an image again and again: `stack-child.mjs STORE SNAPSHOTS NAME TIMES`. Prints how often layers of
// the store were read, and whether each root filesystem had its files.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '../../lib/disk-store/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { overlaySnapshots } from '../../lib/sandbox/index.ts'

const [directory, snapshots, name, times] = process.argv.slice(2)
const store = await openStore(directory, { durability: 'none' })
const { layers } = await readImage(store, name)
const digests = new Set(layers.map(({ descriptor }) => descriptor.digest))
let reads = 0
const counted = new Proxy(store, {
  get(target, key) {
    if (key !== 'read') return Reflect.get(target, key, target)
    return (digest, options) => {
      if (digests.has(digest)) reads++
      return target.read(digest, options)
    }
  },
})
const driver = overlaySnapshots({ directory: snapshots })
console.log('ready')
await new Promise(resolve => process.stdin.once('data', resolve))
let whole = true
for (let i = 0; i < Number(times); i++) {
  const stack = await driver.openStack(counted, layers)
  for (let n = 0; n < layers.length; n++) whole &&= (await readFile(join(stack.path, `file${n}`), 'utf8')) === `${n}`
  await stack.close()
}
console.log(JSON.stringify({ reads, whole }))
await store.close()
process.exit(0)
