// Question: does the memory of store.put grow with the blob? 5 GB in a fresh process (256 MB with --smoke).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freshProcess } from '../harness/fresh-process.mjs'

const bytes = process.argv.includes('--smoke') ? 256e6 : 5e9
const library = pathToFileURL(resolve(import.meta.dirname, '../../dist/index.js')).href
for (const hasher of ['wasm', 'native']) {
  const directory = mkdtempSync(join(tmpdir(), 'layerstore-bench-'))
  try {
    const { wallSeconds, maxRssMB, cpuSeconds } = freshProcess(
      `import { openStore } from ${JSON.stringify(library)}
       const [directory, bytes, hasher] = process.argv.slice(-3)
       function* chunks() {
         const chunk = Buffer.alloc(1 << 20)
         for (let left = Number(bytes), i = 0; left > 0; left -= chunk.length, i++) {
           chunk.writeUInt32LE(i)
           yield left < chunk.length ? chunk.subarray(0, left) : chunk
         }
       }
       const store = await openStore(directory, { hasher })
       await store.put(chunks())
       await store.close()`,
      directory,
      bytes,
      hasher,
    )
    const speed = (bytes / 1e6 / wallSeconds).toFixed(0)
    console.log(`${hasher}: ${bytes / 1e9} GB, ${speed} MB/s, CPU ${cpuSeconds.toFixed(1)} s, max RSS ${maxRssMB} MB`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
