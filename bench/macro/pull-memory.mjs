// Question: does the memory of a pull grow with the layer? One layer of 1 GiB in a fresh process (64 MiB with --smoke).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { composeImage, createRegistryServer, openStore, writeLayer } from '../../dist/index.js'
import { freshProcess } from '../harness/fresh-process.mjs'

const smoke = process.argv.includes('--smoke')
const bytes = smoke ? 2 ** 26 : 2 ** 30
const library = pathToFileURL(resolve(import.meta.dirname, '../../dist/index.js')).href
const directory = mkdtempSync(join(tmpdir(), 'layerstore-bench-'))

function* content() {
  const chunk = Buffer.alloc(2 ** 20)
  for (let i = 0; i < bytes / chunk.length; i++) {
    chunk.writeUInt32LE(i)
    yield chunk
  }
}

// The server runs in a process of its own, so that the memory measured is the puller's alone.
if (process.argv.includes('--serve')) {
  const store = await openStore(process.argv.at(-1), { hasher: 'native' })
  const server = createRegistryServer(store)
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 })
  console.log(`${host}:${port}`)
} else {
  const { spawn } = await import('node:child_process')
  const store = await openStore(join(directory, 'remote'), { hasher: 'native' })
  const entries = [{ path: 'big', type: 'file', size: bytes, content }]
  const layer = await writeLayer(store, entries, { compression: 'none', hasher: 'native' })
  const image = await composeImage(store, { layers: [layer] })
  await store.references.set('big:1', image.descriptor)
  await store.close()
  const serverProcess = spawn(process.execPath, [import.meta.filename, '--serve', join(directory, 'remote')])
  try {
    const host = await new Promise(done => serverProcess.stdout.once('data', text => done(String(text).trim())))
    for (const hasher of ['wasm', 'native']) {
      const { wallSeconds, maxRssMB, cpuSeconds } = freshProcess(
        `import { createRegistryClient, openStore, planPull, runPull } from ${JSON.stringify(library)}
         const [directory, host, hasher] = process.argv.slice(-3)
         const store = await openStore(directory, { hasher })
         const registry = createRegistryClient()
         await runPull(await planPull(registry, store, host + '/big:1'))
         await registry.close()
         await store.close()`,
        join(directory, hasher),
        host,
        hasher,
      )
      const speed = (bytes / 1e6 / wallSeconds).toFixed(0)
      console.log(
        `${hasher}: ${bytes / 2 ** 20} MiB, ${speed} MB/s, CPU ${cpuSeconds.toFixed(1)} s, max RSS ${maxRssMB} MB`,
      )
    }
  } finally {
    serverProcess.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}
