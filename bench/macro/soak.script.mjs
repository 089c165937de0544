// Question: does a store stay whole while 4 processes pull, push, assemble, untag and collect without mercy (no grace
// at all: only leases protect)? One minute (--seconds 600 for the long one, 5 s with --smoke). Afterwards every name is
// read and verified, and nothing is missing. Ends with an error if anything is wrong.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const option = process.argv.indexOf('--seconds')
const seconds = option > 0 ? Number(process.argv[option + 1]) : process.argv.includes('--smoke') ? 5 : 60
const room = name => pathToFileURL(resolve(import.meta.dirname, `../../dist/${name}/index.js`)).href
const { openStore } = await import(room('disk-store'))
const { planCollection, runCollection } = await import(room('maintenance'))
const { readDocument } = await import(room('store'))
const { createRegistryServer } = await import(room('server'))

const WORKER = `
import { composeImage, readImage } from ${JSON.stringify(room('image'))}
import { writeLayer } from ${JSON.stringify(room('layer'))}
import { createRegistryClient } from ${JSON.stringify(room('registry'))}
import { openStore } from ${JSON.stringify(room('disk-store'))}
import { planCollection, runCollection } from ${JSON.stringify(room('maintenance'))}
import { planPull, planPush, runPull, runPush } from ${JSON.stringify(room('transfer'))}
const [directory, host, name, seconds] = process.argv.slice(-4)
const pick = n => Math.floor(Math.random() * n)
const counts = { pull: 0, push: 0, assemble: 0, untag: 0, collect: 0, removed: 0, notThere: 0 }
const store = await openStore(directory)
const registry = createRegistryClient({ credentials: false })
const tag = () => 'app' + pick(4) + ':' + pick(6)
let borrowed = false
const ACTS = {
  async pull() {
    const plan = await planPull(registry, store, host + '/' + tag(), { name: tag() })
    await runPull(plan)
  },
  async push() {
    const from = tag()
    if (!(await store.references.get(from))) return
    await runPush(await planPush(store, registry, from, host + '/' + tag()))
  },
  async assemble() {
    const lease = await store.leases.hold({ label: 'assemble' })
    try {
      const files = [{ path: 'f', type: 'file', content: Buffer.alloc(20_000, 'content ' + pick(12)) }]
      const layers = [await writeLayer(store, files), await writeLayer(store, [{ ...files[0], path: name }])]
      const baseName = tag()
      borrowed = pick(2) === 1 && (await store.references.get(baseName)) !== undefined
      const base = borrowed ? await readImage(store, baseName) : undefined
      const image = await composeImage(store, base && base.layers.length < 6 ? { base, layers } : { layers })
      await store.references.set(tag(), image.descriptor)
    } finally {
      await lease.release()
    }
  },
  async untag() {
    await store.references.delete(tag())
  },
  async collect() {
    const plan = await planCollection(store, { graceMs: 0, force: true })
    const result = await runCollection(store, plan)
    if (plan.missing.length + result.errors.length > 0) throw new Error(JSON.stringify({ ...plan, keep: [], ...result }))
    counts.removed += result.deleted.length
  },
}
// What has just been untagged or never was there is no fault: only what a name promised and is missing is one.
const FINE = new Set(['ERR_REFERENCE_NOT_FOUND', 'ERR_MANIFEST_NOT_FOUND'])
const end = Date.now() + Number(seconds) * 1000
while (Date.now() < end) {
  const act = ['pull', 'push', 'assemble', 'assemble', 'untag', 'untag', 'collect'][pick(7)]
  try {
    await ACTS[act]()
    counts[act]++
  } catch (error) {
    const untagged = error.code === 'ERR_BLOB_NOT_FOUND' && (act === 'push' || (act === 'assemble' && borrowed))
    if (!FINE.has(error.code) && !untagged) throw error
    counts.notThere++
  }
}
await registry.close()
await store.close()
console.log(JSON.stringify(counts))
`

async function work(directory, host, name) {
  const args = ['--input-type=module', '-e', WORKER, '--', directory, host, name, String(seconds)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`worker ${name} ended with ${code}`)
  return JSON.parse(output)
}

async function verify(directory) {
  const store = await openStore(directory)
  const seen = new Set()
  let names = 0
  for await (const { name, descriptor } of store.references.list()) {
    // Setting a name proves that its graph is complete; the blobs are read and verified below.
    await store.references.set(name, descriptor)
    await readDocument(store, descriptor)
    names++
  }
  const plan = await planCollection(store, { graceMs: 0, force: true })
  if (plan.missing.length > 0) throw new Error(`missing: ${JSON.stringify(plan.missing)}`)
  await runCollection(store, plan)
  for await (const { digest } of store.list()) {
    for await (const _ of store.read(digest)) void _
    seen.add(digest)
  }
  await store.close()
  return { names, blobs: seen.size }
}

const root = mkdtempSync(join(tmpdir(), 'layerstore-soak-'))
try {
  const shared = join(root, 'shared')
  const remote = await openStore(join(root, 'remote'), { durability: 'none' })
  const server = createRegistryServer(remote)
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 })
  await (await openStore(shared)).close()
  const results = await Promise.all(['a', 'b', 'c', 'd'].map(name => work(shared, `${host}:${port}`, name)))
  await server.close()
  await remote.close()
  const total = {}
  for (const counts of results) for (const [act, n] of Object.entries(counts)) total[act] = (total[act] ?? 0) + n
  console.log(
    `${seconds} s, 4 processes: ${Object.entries(total)
      .map(([act, n]) => `${act} ${n}`)
      .join(', ')}`,
  )
  const { names, blobs } = await verify(shared)
  console.log(`afterwards ${names} names and ${blobs} blobs, every one read and verified`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
