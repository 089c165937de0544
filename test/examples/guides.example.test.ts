import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  checkStore,
  composeImage,
  createMemoryStore,
  createRegistryClient,
  digestOf,
  fromDirectory,
  openStore,
  openUnionView,
  pullImage,
  pushImage,
  readImage,
  type Store,
  writeLayer,
} from '../../lib/index.ts'
import { blobStoreConformance, createFaultyRegistry, type StoreSubject } from '../../lib/testing/index.ts'
import { contentOf } from '../../lib/testing/store-conformance/subject.ts'
import { generateSigningKeys, loadSigningKey, signImage } from '../../lib/trust/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { bundleChild } from '../helpers/bundle-child.ts'
import { storeBusyboxImage } from '../helpers/busybox-image.ts'
import { makeBusyboxRoot } from '../helpers/busybox-root.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { readAll } from '../helpers/read-all.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { serveStore } from '../helpers/serve-store.ts'
import { damageBlob } from '../helpers/store-subjects.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { testConformance } from '../helpers/test-conformance.ts'
import { deliver, listDirectory } from './guides/assemble-from-node.ts'
import { measureHashing, measureSharing } from './guides/benchmark.ts'
import { type Bucket, createBucketStore } from './guides/bucket-store.ts'
import { patch, publish, publishAll, writeDelta } from './guides/build-on-a-registry.ts'
import { build } from './guides/build-without-root.ts'
import { checkAndRepair, collect } from './guides/collect-and-repair.ts'
import { compareReleases, dissect, gate, report } from './guides/look-inside-an-image.ts'
import { planOnly, runFromFile } from './guides/pull-with-a-plan.ts'
import { pullSurvivesFaults, withRegistry } from './guides/registry-in-tests.ts'
import { download, pullFor } from './guides/resume.ts'
import { buildAndRun, changeAndCommit } from './guides/run-what-was-built.ts'
import { mirror, serve } from './guides/serve-a-registry.ts'
import { pullTrusted } from './guides/trust-what-you-run.ts'

const canRun = [needsRoot(), needsProgram('bwrap'), needsProgram('busybox')].every(Boolean)

/* Executes the code of lib/guides/. What examples print is caught. */

const before = process.cwd()
const printed: unknown[][] = []
beforeEach(() => {
  for (const way of ['log', 'error', 'table'] as const) {
    vi.spyOn(console, way).mockImplementation((...args: unknown[]) => void printed.push(args))
  }
})
afterEach(() => {
  vi.restoreAllMocks()
  printed.length = 0
  process.chdir(before)
})

test.skipIf(!canRun)('the guide to commands without root builds with what works for the user', async () => {
  using directory = temporaryDirectory('guide-root')
  await using store = createMemoryStore()
  makeBusyboxRoot(join(directory.path, 'root'))
  const layer = await writeLayer(store, fromDirectory(join(directory.path, 'root')))
  const base = await composeImage(store, { layers: [layer], config: { Env: ['PATH=/bin'] } })
  await store.references.set('box:1', base.descriptor)
  const { images } = await build(store, 'box:1', join(directory.path, 'snapshots'))
  const view = await openUnionView(store, images[0]!)
  expect(Buffer.from(await readAll(view.read('who'))).toString()).toBe('uid=0(root) gid=0(root)\n')
})

test('the guide to plans prints a plan, runs it from its file, and refuses it when the tag has moved', async () => {
  using directory = temporaryDirectory('guide-plan')
  const remote = createMemoryStore()
  await sampleImage(remote, [{ file: 'content' }], { name: 'app:1' })
  await using server = await serveStore(remote)
  const [images, planFile] = [join(directory.path, 'images'), join(directory.path, 'plan.json')]
  await planOnly(`${server.host}/app:1`, images, planFile)
  expect(printed[0]).toMatchObject([[{ kind: 'config', need: 'fetch' }, { kind: 'layer' }, { kind: 'manifest' }]])
  const result = await runFromFile(planFile, images)
  expect(result).toMatchObject({ name: `${server.host}/app:1`, blobsFetched: 3, changes: [] })

  const moved = await sampleImage(remote, [{ file: 'other content' }], { name: 'app:1' })
  expect(moved.descriptor.digest).not.toBe(result.digest)
  await expect(runFromFile(planFile, join(directory.path, 'second'))).rejects.toMatchObject({
    code: 'ERR_PLAN_OUTDATED',
  })
})

test('the guide to assembly makes an image of a project and a base, pushes it and saves it', async () => {
  using directory = temporaryDirectory('guide-assemble')
  process.chdir(directory.path)
  for (const [path, content] of Object.entries({
    'project/node_modules/left/index.js': 'module.exports = 1',
    'project/dist/server.js': 'serve()',
    'project/dist/server.js.map': '{}',
  })) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
  }
  const remote = createMemoryStore()
  await sampleImage(remote, [{ 'usr/bin/node': 'binary' }], { name: 'node:22' })
  await using server = await serveStore(remote)
  const { image, digest } = await deliver('project', `${server.host}/node:22`, `${server.host}/app:1.0`, 'app.tar')
  expect((await remote.references.get('app:1.0'))?.digest).toBe(digest)
  expect(image.config.config).toMatchObject({ WorkingDir: '/app', Cmd: ['node', 'server.js'] })
  expect(image.layers).toHaveLength(4)
  await using store = await openStore('images')
  const listed = await listDirectory(store, image, 'app')
  expect(listed).toEqual(['directory app/node_modules', 'file app/server.js', 'file app/settings.json'])
  expect(readFileSync('app.tar').length).toBeGreaterThan(2_000)
})

test('the guide to resuming continues a pull that was stopped, in the next call', async () => {
  using directory = temporaryDirectory('guide-resume')
  const images = join(directory.path, 'images')
  const remote = createMemoryStore()
  const { layers } = await sampleImage(remote, [{ noise: contentOf(4_000_000) }], { name: 'app:1' })
  await using registry = await createFaultyRegistry({ store: remote })
  registry.misbehave({ kind: 'stall', after: 3_000_000 }, { path: new RegExp(layers[0]!.descriptor.digest) })
  const stop = new AbortController()
  const stopped = pullFor(stop.signal, `${registry.host}/app:1`, images)
  await expect.poll(() => bytesBelow(join(images, '.layerstore/ingests'))).toBeGreaterThan(1_000_000)
  stop.abort(new Error('time is up'))
  expect(await stopped).toBeUndefined()
  registry.behave()
  const result = await pullFor(new AbortController().signal, `${registry.host}/app:1`, images)
  expect(printed.flat().join('\n')).toMatch(/sha256:\S+: \d+ of \d+ bytes are here/)
  expect(result?.bytesSaved).toBeGreaterThan(1_000_000)
})

test('the guide to resuming continues an ingest at the offset of its earlier writer', async () => {
  using directory = temporaryDirectory('guide-ingest')
  const bytes = contentOf(600_000)
  const blob = { digest: await digestOf(bytes), size: bytes.length }
  const offsets: number[] = []
  async function* broken(offset: number) {
    offsets.push(offset)
    yield bytes.subarray(offset, 400_000)
    throw new Error('the connection is gone')
  }
  async function* whole(offset: number) {
    offsets.push(offset)
    yield bytes.subarray(offset)
  }
  await expect(download(directory.path, blob, broken)).rejects.toThrow('the connection is gone')
  expect(await download(directory.path, blob, whole)).toEqual(blob)
  expect(offsets).toEqual([0, 400_000])
})

test('the guide to maintenance drops old images, finds a damaged blob, and fetches it again', async () => {
  using directory = temporaryDirectory('guide-repair')
  const remote = createMemoryStore()
  await using server = await serveStore(remote)
  await using registry = createRegistryClient()
  for (const tag of ['1', '2', '3']) {
    await sampleImage(remote, [{ file: `content of ${tag}` }], { name: `app:${tag}` })
    await using store = await openStore(directory.path)
    await pullImage(registry, store, `${server.host}/app:${tag}`)
  }
  ageBlobs(directory.path, 2 * 3_600_000)
  const { namesDropped, deleted } = await collect(directory.path, 2)
  expect(namesDropped).toEqual([`${server.host}/app:1`])
  expect(deleted).toHaveLength(3)

  const repository = `${server.host}/app`
  expect(await checkAndRepair(directory.path, repository)).toEqual([])
  await using store = await openStore(directory.path)
  const { layers } = await readImage(store, `${repository}:3`)
  const { digest } = layers[0]!.descriptor
  damageBlob(directory.path, digest, 'flip')
  expect(await checkAndRepair(directory.path, repository)).toEqual([digest])
  expect((await readAll(store.read(digest))).length).toBe(layers[0]!.descriptor.size)
})

test('the guide to trust pulls an image that was signed, and no other', async () => {
  using directory = temporaryDirectory('guide-trust')
  const remote = createMemoryStore()
  await using server = await serveStore(remote)
  await using registry = createRegistryClient()
  const { digest } = (await sampleImage(remote, [{ a: 'a' }], { name: 'app:1' })).descriptor
  const { privateKey, publicKey } = await generateSigningKeys()
  const policy = join(directory.path, 'policy.json')
  writeFileSync(policy, JSON.stringify({ version: 1, default: { keys: [publicKey] } }))
  const pull = () => pullTrusted(registry, createMemoryStore(), `${server.host}/app:1`, policy)
  await expect(pull()).rejects.toMatchObject({ code: 'ERR_POLICY_REFUSED' })
  await signImage({ registry, reference: `${server.host}/app:1` }, { key: await loadSigningKey(privateKey) })
  expect(await pull()).toBe(digest)
})

test('the guide to the server admits who has the password, and mirrors another registry', async () => {
  using directory = temporaryDirectory('guide-serve')
  await using local = createMemoryStore()
  await sampleImage(local, [{ file: 'content' }], { name: 'app:1' })
  await using server = await serve(join(directory.path, 'served'), 'secret', 0)
  const { host } = new URL(server.url)
  await using stranger = createRegistryClient({ credentials: async () => undefined })
  await expect(pushImage(local, stranger, 'app:1', `${host}/app:1`)).rejects.toMatchObject({ code: 'ERR_UNAUTHORIZED' })
  await using ci = createRegistryClient({ credentials: async () => ({ username: 'ci', password: 'secret' }) })
  const { digest } = await pushImage(local, ci, 'app:1', `${host}/app:1`)
  expect(printed).toContainEqual(['PUT', '/v2/app/manifests/1', 201, expect.any(Number)])

  await using remote = await serveStore(local)
  await using mirrored = await mirror(join(directory.path, 'mirror'), remote.host, 0)
  await using store = createMemoryStore()
  await using client = createRegistryClient()
  expect(await pullImage(client, store, `${new URL(mirrored.url).host}/app:1`)).toMatchObject({ digest })
})

test('the guide to tests gives a registry to a test, and its faults to another', async () => {
  await withRegistry(async (host, remote) => {
    await using local = createMemoryStore()
    const image = await sampleImage(local, [{ file: 'content' }], { name: 'app:1' })
    await using client = createRegistryClient()
    await pushImage(local, client, 'app:1', `${host}/app:1`)
    expect(await remote.references.get('app:1')).toEqual(image.descriptor)
  })
  await pullSurvivesFaults()
})

test('the guide to benchmarks measures hashing, and what equal blobs and equal files save', async () => {
  using directory = temporaryDirectory('guide-benchmark')
  const file = join(directory.path, 'file')
  const bytes = contentOf(100_000)
  writeFileSync(file, bytes)
  const rows = await measureHashing(file)
  expect(rows.map(({ hasher, digest }) => [hasher, digest])).toEqual([
    ['wasm', await digestOf(bytes)],
    ['native', await digestOf(bytes)],
    ['wasm', await digestOf(bytes, { algorithm: 'blake3' })],
  ])
  const images = join(directory.path, 'images')
  {
    await using store = await openStore(images)
    const [base, copy] = [{ base: contentOf(50_000) }, { copy: contentOf(50_000), more: 'x' }]
    await sampleImage(store, [base], { name: 'app:1' })
    await sampleImage(store, [base, copy], { name: 'app:2' })
  }
  const sharing = await measureSharing(images)
  expect(sharing.shared).toBeGreaterThanOrEqual(50_000)
  expect(sharing).toMatchObject({ fileBytes: 100_001, distinctFileBytes: 50_001 })
  expect(sharing.referenced - sharing.stored).toBe(sharing.shared)
})

test('the guide to sharing publishes from two processes at once, and each is published or outrun', async () => {
  using directory = temporaryDirectory('guide-share')
  using child = await bundleChild('publish-child.mjs')
  const outcomes = await Promise.all(
    ['one', 'two'].map(async text => {
      const { stdout } = await promisify(execFile)(process.execPath, [child.path, directory.path, text])
      return stdout.trim()
    }),
  )
  expect(outcomes).toContain('published')
  expect(outcomes.filter(outcome => outcome !== 'published' && outcome !== 'outrun')).toEqual([])
  await using store = await openStore(directory.path)
  const { layers } = await readImage(store, 'app:1')
  expect((await readAll(store.read(layers[0]!.descriptor.digest))).length).toBeGreaterThan(0)
  expect(await checkStore(store)).toMatchObject({ sound: true, names: 1 })
})

describe('the driver of the guide keeps the contract of a store', () => {
  testConformance(blobStoreConformance(bucketSubject()))
})

/** The store of the guide over buckets in memory. */
function bucketSubject(): StoreSubject {
  const buckets = new WeakMap<Store, Map<string, Uint8Array>>()
  const open = (objects: Map<string, Uint8Array>, bucket: Bucket) => {
    const store = createBucketStore(bucket)
    buckets.set(store, objects)
    opened.set(store, bucket)
    return store
  }
  const opened = new WeakMap<Store, Bucket>()
  return {
    create: async () => {
      const objects = new Map<string, Uint8Array>()
      return open(objects, memoryBucket(objects))
    },
    reopen: async store => open(buckets.get(store)!, opened.get(store)!),
    damage: async (store, digest, how) => {
      const key = `blobs/${digest.replace(':', '/')}`
      const objects = buckets.get(store)!
      objects.set(key, damaged(objects.get(key)!, how))
    },
  }
}

function memoryBucket(objects: Map<string, Uint8Array>): Bucket {
  return {
    size: async key => objects.get(key)?.byteLength,
    get: async key => objects.get(key),
    set: async (key, bytes) => void objects.set(key, Uint8Array.from(bytes)),
    delete: async key => void objects.delete(key),
    keys: async prefix => [...objects.keys()].filter(key => key.startsWith(prefix)),
  }
}

function damaged(bytes: Uint8Array, how: 'flip' | 'shorten' | 'extend' | 'empty'): Uint8Array {
  if (how === 'flip') return bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 0x10 : byte))
  if (how === 'shorten') return bytes.slice(0, -1)
  return how === 'empty' ? new Uint8Array() : Buffer.concat([bytes, bytes.subarray(0, 1)])
}

function bytesBelow(directory: string): number {
  if (!existsSync(directory)) return 0
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return files.reduce((sum, file) => sum + (statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0), 0)
}

test('the guide to registries builds on a base that is not downloaded, moves it to another, and writes a delta', async () => {
  using directory = temporaryDirectory('guide-registry')
  process.chdir(directory.path)
  mkdirSync('dist')
  writeFileSync('dist/server.js', 'serve()')
  const remote = createMemoryStore()
  await sampleImage(remote, [{ os: 'old' }], { name: 'base:1' })
  const patched = await sampleImage(remote, [{ os: 'new' }], { name: 'base:2' })
  await using server = await serveStore(remote)
  const at = (name: string) => `${server.host}/${name}`
  const { digest } = await publish('dist', at('base:1'), at('app:1'))
  expect((await remote.references.get('app:1'))?.digest).toBe(digest)
  expect(printed[0]).toMatchObject([[{ kind: 'config', need: 'upload' }, {}, {}, { kind: 'manifest' }]])
  await publishAll({ 'linux/amd64': 'dist' }, at('base:1'), at('app:all'))
  await patch(at('app:1'), at('base:1'), at('base:2'), at('app:2'))
  const moved = await readImage(remote, 'app:2')
  expect(moved.layers[0]).toEqual(patched.layers[0])
  expect((await readImage(remote, 'app:all', { platform: 'linux/amd64' })).descriptor.digest).toBe(digest)
  expect(await writeDelta(remote, 'base:2', 'app:2', 'delta.tar')).toBe(statSync('delta.tar').size)
})

test('the guide to looking inside dissects an image, fails a gate, and compares releases', async () => {
  using directory = temporaryDirectory('guide-inspect')
  {
    await using store = await openStore(directory.path)
    const key = '-----BEGIN PRIVATE KEY-----'
    const base = { 'usr/lib/a': 'x'.repeat(5000), 'root/key.pem': key }
    await sampleImage(store, [base, { 'usr/lib/a': 'x'.repeat(5000), app: 'one' }], { name: 'app:1' })
    await sampleImage(store, [base, { 'usr/lib/a': 'x'.repeat(5000), moved: 'one' }], { name: 'app:2' })
  }
  expect(await dissect(directory.path, 'app:1')).toMatchObject([{ path: 'usr/lib', bytes: 5000 }, { path: 'root' }])
  expect(printed).toContainEqual(['5000 bytes are stored, but no container sees them'])
  expect(printed).toContainEqual([5000, 'usr/lib/a', 'rewritten'])
  expect(await gate(directory.path, 'app:1')).toBe(false)
  expect(printed).toContainEqual(['highestSecrets: 1, limit 0'])
  const page = join(directory.path, 'report.html')
  await report(directory.path, ['app:1', 'app:2'], page)
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>.*"name":"app:2"/s)
  expect(await compareReleases(directory.path, 'app:1', 'app:2')).toMatchObject([
    { level: 'image' },
    { level: 'blob' },
    { level: 'file', bytes: 0 },
    { level: 'chunk', bytes: 0 },
  ])
  expect(printed).toContainEqual(['app is now moved'])
})

test.skipIf(!canRun)('the guide to containers runs what it builds, and makes an image of a container', async () => {
  using directory = temporaryDirectory('guide-run')
  {
    await using store = await openStore(directory.path, { durability: 'none' })
    await storeBusyboxImage(store, 'box:1', { config: { Env: ['PATH=/bin'] } })
  }
  const dockerfile = 'FROM box:1\nRUN echo built > /built\nCMD ["cat", "/built"]\n'
  expect(await buildAndRun(directory.path, dockerfile, [])).toEqual({ code: 0, output: 'built\n' })
  expect((await buildAndRun(directory.path, dockerfile, ['sh', '-c', 'exit 3'])).code).toBe(3)
  const { changes, image } = await changeAndCommit(directory.path, ['sh', '-c', 'echo new > /new'])
  expect(changes).toEqual([{ path: '/new', kind: 'added' }])
  expect(image.config.history?.at(-1)).toMatchObject({ comment: 'sh -c echo new > /new' })
})
