// Question: how long does a view over 20 layers and 200,000 entries take to open from stored indexes, and how much
// memory (must: under 1 s and 300 MB)? How long does the index of one stored layer take (must: under 20 ms)? How much
// memory does flattening take, whose content is ten times as large? A tenth of everything with --smoke.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freshProcess, median } from '../harness/fresh-process.mjs'

const entries = process.argv.includes('--smoke') ? 1000 : 10_000
const layers = 20
const dist = resolve(import.meta.dirname, process.env.LAYERSTORE_DIST ?? '../../dist')
const room = name => JSON.stringify(pathToFileURL(join(dist, name, 'index.js')).href)
const imports = `
  import { openStore } from ${room('disk-store')}
  import { readLayerIndex, writeLayer } from ${room('layer')}
  import { flattenImage, openUnionView } from ${room('rootfs')}
  const [directory, count, perLayer] = process.argv.slice(-3)`

const write = `${imports}
  const store = await openStore(directory, { durability: 'none', hasher: 'native' })
  const stored = []
  for (let layer = 0; layer < Number(count); layer++) {
    const all = Array.from({ length: Number(perLayer) }, (_, i) => ({
      path: \`usr/lib/node_modules/package-\${layer}/lib/part-\${Math.floor(i / 97)}/some-module-of-usual-length-\${i}.js\`,
      type: 'file',
      content: Buffer.alloc(2000, String(i)),
    }))
    const { descriptor, diffId } = await writeLayer(store, all, { compression: layer % 2 ? 'none' : 'gzip', level: 1, hasher: 'native' })
    stored.push({ descriptor, diffId })
  }
  await store.close()
  console.log(JSON.stringify({ stored }))`

const opened = `${imports}
  const { stored } = JSON.parse(process.env.LAYERS)
  const store = await openStore(directory, { readOnly: true, hasher: 'native' })`

const open = `${opened}
  const start = performance.now()
  const view = await openUnionView(store, stored)
  const openMs = performance.now() - start
  console.log(JSON.stringify({ openMs, entries: view.entries }))
  await store.close()`

const index = `${opened}
  const start = performance.now()
  const { entries } = await readLayerIndex(store, stored[0])
  console.log(JSON.stringify({ indexMs: performance.now() - start, entries: entries.length }))
  await store.close()`

const flatten = `${opened}
  const view = await openUnionView(store, stored)
  const start = performance.now()
  let bytes = 0
  for await (const { content } of flattenImage(view, { hasher: 'native' })) {
    for await (const chunk of content ?? []) bytes += chunk.byteLength
  }
  console.log(JSON.stringify({ flattenMs: performance.now() - start, bytes }))
  await store.close()`

const directory = mkdtempSync(join(tmpdir(), 'layerstore-bench-'))
try {
  const { stored } = freshProcess(write, directory, layers, entries)
  process.env.LAYERS = JSON.stringify({ stored })
  const views = [1, 2, 3].map(() => freshProcess(open, directory, layers, entries))
  const seconds = (median(views.map(run => run.openMs)) / 1000).toFixed(2)
  console.log(
    `view: ${layers} layers, ${views[0].entries} paths, open ${seconds} s, max RSS ${Math.max(...views.map(run => run.maxRssMB))} MB`,
  )
  const indexes = [1, 2, 3, 4, 5].map(() => freshProcess(index, directory, layers, entries))
  console.log(
    `index of a stored layer: ${indexes[0].entries} entries, ${median(indexes.map(run => run.indexMs)).toFixed(1)} ms`,
  )
  const flat = freshProcess(flatten, directory, layers, entries)
  console.log(
    `flatten: ${(flat.bytes / 1e6).toFixed(0)} MB of content in ${(flat.flattenMs / 1000).toFixed(1)} s, max RSS ${flat.maxRssMB} MB`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
