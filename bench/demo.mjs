// The main job on real files: npm run demo [-- --registry HOST:PORT] [-- --hasher native]
import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  composeImage,
  createRegistryClient,
  createRegistryServer,
  fromDirectory,
  openStore,
  parseReference,
  planPull,
  planPush,
  readImage,
  readLayer,
  runPull,
  runPush,
  writeLayer,
} from '../dist/index.js'

const { values } = parseArgs({ options: { registry: { type: 'string' }, hasher: { type: 'string', default: 'wasm' } } })
const hasher = values.hasher === 'native' ? 'native' : 'wasm'
const work = mkdtempSync(join(tmpdir(), 'layerstore-demo-'))
const root = resolve(import.meta.dirname, '..')

/** Trees that exist on any machine with Node and this package. */
function sourceTrees() {
  const nodeModules = join(dirname(dirname(realpathSync(process.execPath))), 'lib', 'node_modules')
  const npm = existsSync(nodeModules) ? nodeModules : execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim()
  return [
    { from: npm, at: '/usr/local/lib/node_modules' },
    { from: join(root, 'node_modules'), at: '/app/node_modules' },
    { from: join(root, 'dist'), at: '/app/dist' },
  ].filter(tree => existsSync(tree.from))
}

const mb = bytes => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`
const say = text => console.log(text)

async function step(title, act) {
  const start = performance.now()
  const facts = await act()
  const seconds = (performance.now() - start) / 1000
  const { hashed = 0, moved = 0, saved = 0 } = facts
  const speed = hashed > 0 ? `${(hashed / 1e6 / seconds).toFixed(0)} MB/s` : '-'
  say(
    `${title.padEnd(44)} ${seconds.toFixed(2).padStart(6)} s  hashed ${mb(hashed).padStart(9)} (${speed.padStart(8)})` +
      `  moved ${mb(moved).padStart(9)}  saved ${mb(saved).padStart(9)}`,
  )
  return facts
}

function printPlan(plan) {
  for (const { kind, descriptor, need, reason } of plan.steps) {
    say(
      `    ${need.padEnd(8)} ${kind.padEnd(8)} ${descriptor.digest.slice(0, 19)} ${mb(descriptor.size).padStart(9)}  ${reason}`,
    )
  }
}

/** Makes one layer for each tree; the hashed bytes are those of the tars and of the compressed layers. */
async function buildImage(store, trees, cacheOf) {
  const layers = []
  let hashed = 0
  for (const tree of trees) {
    // Tools change their caches in node_modules at any time.
    const filter = path => !path.split('/').some(part => part.startsWith('.vite') || part === '.cache')
    const layer = await writeLayer(store, fromDirectory(tree.from, { at: tree.at, filter }), { hasher })
    hashed += layer.uncompressedSize + layer.descriptor.size
    layers.push({ ...layer, history: { created_by: `demo: ${tree.at}` } })
  }
  const image = await composeImage(store, {
    layers,
    platform: { os: 'linux', architecture: 'amd64' },
    config: {
      Entrypoint: ['/usr/local/bin/node'],
      Cmd: ['/app/dist/cli/main.js', '--help'],
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
      WorkingDir: '/app',
      Labels: { 'org.opencontainers.image.title': 'layerstore demo' },
    },
  })
  const reused = cacheOf ? layers.filter(layer => cacheOf.has(layer.descriptor.digest)) : []
  return { image, hashed, saved: reused.reduce((sum, layer) => sum + layer.descriptor.size, 0) }
}

/** Reads every blob of a store again, which verifies its digest, and opens every layer, which verifies its diffId. */
async function verifyStore(store, name) {
  let hashed = 0
  let blobs = 0
  for await (const { digest, size } of store.list()) {
    for await (const chunk of store.read(digest, { verify: 'always' })) hashed += chunk.byteLength
    blobs++
    if (!size) throw new Error(`empty blob ${digest}`)
  }
  const image = await readImage(store, name, { platform: { os: 'linux', architecture: 'amd64' } })
  let entries = 0
  for (const { descriptor, diffId } of image.layers) {
    for await (const entry of readLayer(store, descriptor, { diffId })) {
      hashed += entry.size
      entries++
    }
  }
  return { hashed, blobs, entries, digest: image.descriptor.digest }
}

function expect(condition, message) {
  if (!condition) throw new Error(`demo: ${message}`)
}

async function main() {
  const trees = sourceTrees()
  // A copy of this package, so that one file can be changed without changing the original.
  const copy = join(work, 'dist')
  cpSync(join(root, 'dist'), copy, { recursive: true })
  for (const tree of trees) if (tree.from === join(root, 'dist')) tree.from = copy

  const builder = await openStore(join(work, 'builder'), { hasher })
  const consumer = await openStore(join(work, 'consumer'), { hasher })
  const server = values.registry ? undefined : createRegistryServer(await openStore(join(work, 'registry'), { hasher }))
  const host = values.registry ?? (await server.listen({ host: '127.0.0.1', port: 0 })).url.replace(/^http:\/\//, '')
  const registry = createRegistryClient()
  const reference = `${host}/demo/app:1.0`
  const name = 'demo/app:1.0'
  const { registry: shown } = parseReference(reference)
  say(`layerstore demo: hasher ${hasher}, Node ${process.version}, registry ${shown}${server ? ' (embedded)' : ''}\n`)

  const first = await step('assemble: directories to layers to image', () => buildImage(builder, trees))
  await builder.references.set(name, first.image.descriptor)
  for (const [i, { descriptor, diffId }] of first.image.layers.entries()) {
    say(`    ${trees[i].at.padEnd(30)} ${mb(descriptor.size).padStart(9)}  diffId ${diffId.slice(0, 19)}`)
  }
  await step('push', async () => {
    const result = await runPush(await planPush(builder, registry, name, reference))
    return { hashed: result.bytesUploaded, moved: result.bytesUploaded, saved: result.bytesSaved }
  })
  await step('pull into a second, empty store', async () => {
    const result = await runPull(await planPull(registry, consumer, reference, { name, platform: 'linux/amd64' }))
    return { hashed: result.bytesFetched, moved: result.bytesFetched, saved: result.bytesSaved }
  })

  appendFileSync(join(copy, 'index.js'), '\n// changed by the demo\n')
  const had = new Set(first.image.layers.map(layer => layer.descriptor.digest))
  const second = await step('change one file, assemble again', () => buildImage(builder, trees, had))
  await builder.references.set(name, second.image.descriptor)
  await step('push again', async () => {
    const result = await runPush(await planPush(builder, registry, name, reference))
    return { hashed: result.bytesUploaded, moved: result.bytesUploaded, saved: result.bytesSaved }
  })
  await step('pull again', async () => {
    const plan = await planPull(registry, consumer, reference, { name, platform: 'linux/amd64' })
    const layers = plan.steps.filter(({ kind }) => kind === 'layer')
    printPlan(plan)
    expect(layers.filter(({ need }) => need === 'fetch').length === 1, 'the second pull should fetch one layer')
    const result = await runPull(plan)
    return { hashed: result.bytesFetched, moved: result.bytesFetched, saved: result.bytesSaved }
  })

  const checks = []
  for (const [title, store] of [
    ['builder', builder],
    ['consumer', consumer],
  ]) {
    checks.push(await step(`verify the ${title}'s store`, () => verifyStore(store, name)))
  }
  expect(
    checks.every(({ digest }) => digest === second.image.descriptor.digest),
    'the stores hold different images',
  )
  say(
    `\nboth stores hold ${second.image.descriptor.digest}: ${checks[1].blobs} blobs, ${checks[1].entries} files verified`,
  )
  await server?.close()
  await registry.close()
  await builder.close()
  await consumer.close()
}

try {
  await main()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}
