import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as layerstore from '../../lib/index.ts'
import * as transfer from '../../lib/transfer/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { remote, serveRegistry, server } from '../helpers/served-registry.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/* Runs every script of scripts/ as it stands, in a directory of its own, with a registry in place of localhost:5000. */

const folder = join(import.meta.dirname, 'scripts')
const before = process.cwd()
const printed: unknown[][] = []
let place: ReturnType<typeof temporaryDirectory>

serveRegistry()
beforeEach(() => {
  place = temporaryDirectory('scripts')
  process.chdir(place.path)
})
afterEach(() => {
  process.chdir(before)
  place[Symbol.dispose]()
  vi.unstubAllEnvs()
  printed.length = 0
})

const MODULES: Readonly<Record<string, unknown>> = { layerstore, 'layerstore/transfer': transfer }
const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>

async function run(script: string, ...args: string[]): Promise<void> {
  const text = readFileSync(join(folder, script), 'utf8')
  const body = text
    .replaceAll(/^import (\{[^}]+\}) from '([^']+)'$/gm, "const $1 = await load('$2')")
    .replaceAll('localhost:5000', server.host)
  expect(body).not.toMatch(/^import/m)
  const log = (...values: unknown[]) => void printed.push(values)
  const shown = { log, table: (rows: unknown) => log(rows) }
  const load = (name: string) => MODULES[name] ?? import(name)
  const ran = { ...process, argv: ['node', script, ...args], env: process.env }
  await new AsyncFunction('load', 'console', 'process', body)(load, shown, ran)
}

function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
  }
}

const base = (name: string, config: object = {}, architecture = 'amd64') =>
  sampleImage(remote, [{ 'etc/os': name }], { name, config, architecture })
const pushed = (name: string, architecture = 'amd64') =>
  layerstore.readImage(remote, name, { platform: `linux/${architecture}` })

test('the lines of the README do with commands what the scripts do', async () => {
  const [amd64, arm64] = [await base('debian:amd64'), await base('debian:arm64', {}, 'arm64')]
  const index = await layerstore.composeIndex(remote, { images: [amd64, arm64] })
  await remote.references.set('debian:12', index.descriptor)
  await base('node:22-slim', { Env: ['NODE_VERSION=22'] })
  await base('nginx:1', { Env: ['NGINX=1'] })
  await base('nginx:1.1', { Env: ['NGINX=1.1'] })
  for (const build of [3, 4, 5]) await base(`app:build-${build}`)
  write({ 'node_modules/left/index.js': '1', 'dist/server.js': '2', 'public/index.html': '3', 'app.json': '{}' })
  write({ 'build/amd64/tool': 'x86', 'build/arm64/tool': 'arm', 'coverage.json': '{}' })
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
  const lines = readme.match(/^layerstore .+$/gm)!.map(line => line.replaceAll('localhost:5000', server.host))
  expect(lines).toHaveLength(16)
  for (const line of lines) {
    const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
    const { code, stderr } = await cli(args.slice(1), { store: 'images' })
    expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' })
  }
  expect((await pushed('app:1.0')).config.config).toMatchObject({ WorkingDir: '/app', Cmd: ['node', 'server.js'] })
  expect((await pushed('site:1.0-patched')).config.config).toMatchObject({ Env: ['NGINX=1.1'] })
  expect((await pushed('tool:1.0', 'arm64')).layers[0]).toEqual(arm64.layers[0])
  expect((await pushed('app:1.0-staging')).config.config?.Env).toContain('APP_CONFIG=/etc/app.json')
  const tags: string[] = []
  for await (const { name } of remote.references.list()) if (name.startsWith('app:build')) tags.push(name)
  expect(tags).toEqual(['app:build-4', 'app:build-5', 'app:build-7'])
  expect(statSync('app-1.1.tar').size).toBeLessThan(30_000)
})

test('every script has a test here, and is short', () => {
  const tested = readFileSync(import.meta.filename, 'utf8')
  const scripts = readdirSync(folder)
  expect(scripts.filter(script => !tested.includes(`run('${script}'`))).toEqual([])
  const lines = scripts.map(script => readFileSync(join(folder, script), 'utf8').trimEnd().split('\n').length)
  expect(Math.max(...lines)).toBeLessThanOrEqual(30)
})

test('a Node app is put on a pulled base, its dependencies apart: new code moves one small layer', async () => {
  const below = await base('node:22-slim', { Env: ['NODE_VERSION=22'] })
  write({ 'node_modules/left/index.js': 'module.exports = 1', 'dist/server.js': 'one' })
  await run('node-app.mjs')
  const first = await pushed('app:1.0')
  expect(first.config.config).toEqual({ Env: ['NODE_VERSION=22'], WorkingDir: '/app', Cmd: ['node', 'server.js'] })
  expect(first.layers).toHaveLength(below.layers.length + 2)
  expect(printed).toEqual([[first.descriptor.digest]])
  write({ 'dist/server.js': 'two' })
  await run('node-app.mjs')
  const second = await pushed('app:1.0')
  expect(second.layers.map((layer, i) => layer.diffId === first.layers[i]!.diffId)).toEqual([true, true, false])
})

test('a static site is put on a web server, whose layers are not fetched', async () => {
  const below = await base('nginx:1', { ExposedPorts: { '443/tcp': {} } })
  write({ 'public/index.html': '<h1>site</h1>' })
  await run('static-site.mjs')
  const site = await pushed('site:1.0')
  expect(site.layers[0]).toEqual(below.layers[0])
  expect(site.config.config?.ExposedPorts).toEqual({ '443/tcp': {}, '80/tcp': {} })
  const layer = `/blobs/${below.layers[0]!.descriptor.digest}`
  expect(server.requests.filter(request => request.startsWith('GET') && request.endsWith(layer))).toEqual([])
  expect(readdirSync('.')).toEqual(['public'])
})

test('one index is made of two builds', async () => {
  const images = [await base('debian:amd64'), await base('debian:arm64', {}, 'arm64')]
  const index = await layerstore.composeIndex(remote, { images })
  await remote.references.set('debian:12', index.descriptor)
  write({ 'build/linux/amd64/tool': 'x86', 'build/linux/arm64/tool': 'arm' })
  await run('two-platforms.mjs')
  const [x86, arm] = [await pushed('tool:1.0', 'amd64'), await pushed('tool:1.0', 'arm64')]
  expect([x86.layers[0], arm.layers[0]]).toEqual(images.map(({ layers }) => layers[0]))
  expect((await remote.references.get('tool:1.0'))?.digest).toBe(printed[0]![0])
})

test('an image is moved to a patched base, in the registry', async () => {
  const [old, patched] = [await base('debian:12.1', { Env: ['V=1'] }), await base('debian:12.2', { Env: ['V=2'] })]
  const layer = await layerstore.writeLayer(remote, layerstore.fromFiles({ app: 'run' }))
  const app = await layerstore.composeImage(remote, { base: old, layers: [layer], config: { Cmd: ['app'] } })
  await remote.references.set('app:1.0', app.descriptor)
  await run('rebase.mjs')
  const moved = await pushed('app:1.0-patched')
  expect(moved.layers).toEqual([patched.layers[0], app.layers[1]])
  expect(moved.config.config).toEqual({ Env: ['V=2'], Cmd: ['app'] })
  expect(server.requests.filter(request => request.startsWith('PUT'))).toHaveLength(2)
})

test('a file and a variable are put on an image', async () => {
  await base('app:1.0', { Env: ['PATH=/bin'], Cmd: ['app'] })
  await run('settings.mjs')
  const { config, layers } = await pushed('app:1.0-staging')
  expect(config.config).toEqual({ Env: ['PATH=/bin', 'APP_CONFIG=/etc/app.json'], Cmd: ['app'] })
  const view = await layerstore.openUnionView(remote, layers)
  expect(view.stat('/etc/app.json')).toMatchObject({ type: 'file', size: 13 })
})

test('the parts of the deduplication report sum to its totals', async () => {
  const store = await layerstore.openStore('images')
  const shared = { lib: 'x'.repeat(5000) }
  await sampleImage(store, [shared, { app: '1' }], { name: 'app:1' })
  await sampleImage(store, [shared, { app: '2' }], { name: 'app:2' })
  await store.close()
  await run('dedup-report.mjs')
  expect(printed[0]).toMatchObject([[{ name: 'app:1' }, { name: 'app:2' }]])
  expect(printed[1]![0]).toMatch(/^\d+ bytes stored for \d+ referenced: 1\.\d\d to 1$/)
})

test('the benchmark of hashing computes the digests that it measures', async () => {
  const bytes = randomBytes(300_000)
  write({ file: bytes })
  await run('hash-benchmark.mjs', 'file')
  const sha256 = await layerstore.digestOf(bytes)
  expect(printed.map(row => row[2])).toEqual([
    sha256,
    sha256,
    await layerstore.digestOf(bytes, { algorithm: 'blake3' }),
  ])
})

test('a report is attached to an image, and found', async () => {
  await base('app:1.0')
  write({ 'coverage.json': '{"lines":97}' })
  await run('artifacts.mjs')
  expect(printed).toEqual([['application/vnd.example.coverage', expect.stringMatching(/^sha256:/)]])
})

test('a step of CI says what will move, pushes it, and keeps the last three builds', async () => {
  await base('node:22-slim')
  for (const build of ['8', '9', '10', '11']) {
    write({ 'dist/server.js': build })
    vi.stubEnv('BUILD', build)
    await run('ci.mjs')
  }
  expect(printed.at(-2)![0]).toMatchObject([{ kind: 'config', need: 'upload' }, {}, {}, { kind: 'manifest' }])
  expect(printed.at(-1)).toEqual(['removed:', 'build-8'])
  const tags: string[] = []
  for await (const { name } of remote.references.list()) if (name.startsWith('app:')) tags.push(name)
  expect(tags).toEqual(['app:build-10', 'app:build-11', 'app:build-9'])
})

test('a delta for a machine without a network has only the new layer, and is loaded where the old image is', async () => {
  const store = await layerstore.openStore('images')
  await sampleImage(store, [{ big: randomBytes(200_000) }], { name: 'app:1.0' })
  await layerstore.saveArchive(store, 'app:1.0', 'app-1.0.tar', { format: 'docker' })
  await store.close()
  write({ 'patch/server.js': 'patched' })
  await run('offline-delta.mjs')
  expect(statSync('app-1.1.tar').size).toBeLessThan(30_000)
  const receiver = layerstore.createMemoryStore()
  await expect(layerstore.loadArchive(receiver, 'app-1.1.tar')).rejects.toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  await layerstore.loadArchive(receiver, 'app-1.0.tar')
  await layerstore.loadArchive(receiver, 'app-1.1.tar')
  expect((await layerstore.readImage(receiver, 'app:1.1', { platform: 'linux/amd64' })).layers).toHaveLength(2)
})
