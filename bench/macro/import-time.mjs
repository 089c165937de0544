// Question: what does `import 'layerstore'` cost over bare Node? Alternating fresh processes, medians.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freshProcess, median } from '../harness/fresh-process.mjs'

const rounds = process.argv.includes('--smoke') ? 3 : 21
const library = pathToFileURL(resolve(import.meta.dirname, '../../dist/index.js')).href
const bare = []
const imported = []
for (let i = 0; i < rounds; i++) {
  bare.push(freshProcess('').wallSeconds)
  imported.push(freshProcess(`import ${JSON.stringify(library)}`).wallSeconds)
}
const ms = seconds => (seconds * 1000).toFixed(0)
const cost = ms(median(imported) - median(bare))
console.log(
  `bare Node ${ms(median(bare))} ms, with layerstore ${ms(median(imported))} ms: ${cost} ms over ${rounds} rounds`,
)
