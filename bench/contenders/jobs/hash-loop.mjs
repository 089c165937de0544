// The bare loop: one thread, synchronous reads of 1 MiB, nothing but the hash.
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { loadPackage, report } from './report.mjs'

await report(async ({ engine, files }, timed) => {
  const create = engine === 'native' ? () => createHash('sha256') : await wasm()
  await timed(() => {}) // so that the first file does not pay for loading
  const digests = await timed(() => files.map(file => `sha256:${hashFile(file, create())}`))
  return { outcome: { digests } }
})

async function wasm() {
  const hasher = await loadPackage('hash-wasm').createSHA256()
  return () => hasher.init()
}

function hashFile(path, hash) {
  const buffer = Buffer.allocUnsafe(2 ** 20)
  const file = openSync(path)
  for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) hash.update(buffer.subarray(0, read))
  closeSync(file)
  return hash.digest('hex')
}
