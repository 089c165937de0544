// Question: what does a store of 100,000 blobs and 10,000 names cost? (5,000 and 500 with --smoke.) Limits of the
// issue: open < 100 ms, stat < 100 µs, set a name < 50 ms, plan a collection < 3 s, max RSS < 200 MB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freshProcess } from '../harness/fresh-process.mjs'
import { makeBigStore } from '../harness/make-big-store.mjs'

const smoke = process.argv.includes('--smoke')
const size = smoke ? { blobs: 5_000, names: 500 } : { blobs: 100_000, names: 10_000 }
const limits = { openMs: 100, statMicros: 100, setNameMs: 50, planMs: 3_000, rssMB: 200 }
const room = name => JSON.stringify(pathToFileURL(resolve(import.meta.dirname, `../../dist/${name}/index.js`)).href)

const SCENARIO = `
import { openStore } from ${room('disk-store')}
import { planCollection } from ${room('maintenance')}
const [directory, digests, image] = process.argv.slice(-3)
const result = {}
const timed = async (name, act) => {
  const start = performance.now()
  const value = await act()
  result[name] = performance.now() - start
  return value
}
const store = await timed('openMs', () => openStore(directory))
const some = JSON.parse(digests)
await timed('statMicros', async () => { for (const digest of some) await store.stat(digest) })
result.statMicros *= 1000 / some.length
const { annotations, ...descriptor } = JSON.parse(image)
await store.references.set('first:1', descriptor)
const times = []
for (let i = 0; i < 15; i++) {
  const start = performance.now()
  await store.references.set('new:' + i, descriptor)
  times.push(performance.now() - start)
}
result.setNameMs = times.sort((a, b) => a - b)[7]
const before = process.cpuUsage()
const plan = await timed('planMs', () => planCollection(store))
const { user, system } = process.cpuUsage(before)
result.planCpuMs = (user + system) / 1000
result.rssMB = process.resourceUsage().maxRSS / 1024
await timed('planAgainMs', () => planCollection(store))
result.drop = plan.drop.length
result.keep = plan.keep.length
await store.close()
console.log(JSON.stringify(result))
`

const directory = mkdtempSync(join(tmpdir(), 'layerstore-bench-'))
try {
  const { someDigests, image } = makeBigStore(directory, size)
  const sample = someDigests.filter((_, i) => i % Math.ceil(someDigests.length / 1000) === 0)
  const result = freshProcess(SCENARIO, directory, JSON.stringify(sample), JSON.stringify(image))
  console.log(`${size.blobs} blobs, ${size.names} names: ${result.drop} would go, ${result.keep} stay`)
  for (const [name, limit] of Object.entries(limits)) {
    console.log(`${name}: ${result[name].toFixed(1)} (limit ${limit})${result[name] <= limit ? '' : ' OVER THE LIMIT'}`)
  }
  console.log(
    `the plan took ${result.planCpuMs.toFixed(0)} ms of processor time; again, ${result.planAgainMs.toFixed(0)} ms`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
