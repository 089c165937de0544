// How fast this machine hashes a file, by engine and algorithm.
import { createReadStream, statSync } from 'node:fs'
import { digestOf } from 'layerstore'

const file = process.argv[2]
const { size } = statSync(file)
for (const options of [{ hasher: 'wasm' }, { hasher: 'native' }, { algorithm: 'blake3' }]) {
  const start = performance.now()
  const digest = await digestOf(createReadStream(file, { highWaterMark: 1 << 20 }), options)
  console.log(`${(size / 1e3 / (performance.now() - start)).toFixed(0)} MB/s`, JSON.stringify(options), digest)
}
