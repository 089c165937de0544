import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { createFaultyRegistry } from '../../lib/testing/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { sweep } from '../helpers/sweep.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'
import { twentyLayers } from '../helpers/twenty-layers.ts'

const MIB = 1024 * 1024
const CHECKPOINT = 16 * MIB
/** Size of the pulled layer: at 60 % of it the store has saved at least one checkpoint. */
const LAYER = sweep(256, 30) * MIB
const PUSHED = 36 * MIB
let library: string
beforeAll(() => {
  library = transpileLibrary()
  writeFileSync(join(library, 'transfer-kill-child.mjs'), CHILD)
})

/** Pulls or pushes, and prints the plan, the result, and the number of bytes read back through open files. */
const CHILD = `
import { open } from 'node:fs/promises'
const file = await open(process.argv[1])
const handles = Object.getPrototypeOf(file)
const { read } = handles
let [readBack, calls] = [0, 0]
handles.read = async function (...args) {
  const done = await read.apply(this, args)
  calls++
  // Configs and manifests are read too.
  if ((await this.stat()).size > 1e6) readBack += done.bytesRead
  return done
}
await file.read(Buffer.alloc(1))
if (calls !== 1) throw new Error('reads are not counted')
await file.close()
const { openStore } = await import('./disk-store/index.js')
const { createRegistryClient } = await import('./registry/index.js')
const { planPull, planPush, runPull, runPush } = await import('./transfer/index.js')
const [, , act, directory, reference] = process.argv
const store = await openStore(directory, { durability: 'none' })
const registry = createRegistryClient({ credentials: false })
const plan = act === 'pull' ? await planPull(registry, store, reference) : await planPush(store, registry, 'app:1', reference)
const result = act === 'pull' ? await runPull(plan) : await runPush(plan)
await registry.close()
await store.close()
console.log(JSON.stringify({ steps: plan.steps, result, readBack }))
`

interface Report {
  readonly steps: readonly {
    readonly descriptor: { digest: string }
    readonly need: string
    readonly offset?: number
  }[]
  readonly result: Readonly<Record<string, number>>
  readonly readBack: number
}

function start(act: 'pull' | 'push', directory: string, reference: string) {
  const child = spawn(process.execPath, [join(library, 'transfer-kill-child.mjs'), act, directory, reference])
  const output: string[] = []
  child.stdout.on('data', chunk => output.push(String(chunk)))
  child.stderr.on('data', chunk => output.push(String(chunk)))
  const ended = once(child, 'close')
  return {
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async report(): Promise<Report> {
      await ended
      expect(child.exitCode, output.join('')).toBe(0)
      return JSON.parse(output.join(''))
    },
  }
}

/** Stores an image of one layer of this size as `app:1`; resolves to the layer's digest. */
async function fill(store: Store, size: number): Promise<Digest> {
  const image = twentyLayers(size, 1)
  for (const { bytes } of image.blobs) await store.put(bytes)
  await store.put(image.manifest.bytes)
  await store.references.set('app:1', image.manifest.descriptor)
  return image.layers[0]!.descriptor.digest
}

test('a pull killed at 60 % of a big layer continues in a new process: less than a checkpoint comes again, nothing is read back', {
  timeout: 600_000,
}, async () => {
  using directory = temporaryDirectory('transfer-kill')
  const remote = createMemoryStore()
  const digest = await fill(remote, LAYER)
  await using registry = await createFaultyRegistry({ store: remote })
  const reference = `${registry.host}/app:1`
  const arrived = Math.floor(LAYER * 0.6)
  registry.misbehave({ kind: 'stall', after: arrived }, { method: 'GET', path: new RegExp(`/blobs/${digest}`) })
  const first = start('pull', directory.path, reference)
  const sent = () => registry.seen.find(({ path }) => path.includes(digest))?.sent ?? 0
  await expect.poll(sent, { timeout: 600_000 }).toBe(arrived)
  await using store = await openStore(directory.path)
  const kept = () => store.statIngest!(digest).then(info => info?.offset ?? 0)
  // Waits for the last checkpoint that the received bytes allow.
  await expect.poll(kept, { timeout: 600_000 }).toBeGreaterThan(arrived - CHECKPOINT)
  expect(await store.statIngest!(digest)).toMatchObject({ busy: true })
  await first.kill()
  const offset = await kept()
  expect(await store.statIngest!(digest)).toEqual({ offset, busy: false })
  expect(await store.stat(digest)).toBeUndefined()

  const before = registry.seen.length
  const { steps, result, readBack } = await start('pull', directory.path, reference).report()
  expect(steps.find(step => step.descriptor.digest === digest)).toMatchObject({ need: 'resume', offset })
  const again = registry.seen.slice(before).filter(({ path }) => path.includes(digest))
  expect(again.map(({ headers, sent: bytes }) => [headers.range, bytes])).toEqual([
    [`bytes=${offset}-`, LAYER - offset],
  ])
  const fetchedTwice = arrived - offset
  console.info(`killed at ${arrived} of ${LAYER} bytes: ${fetchedTwice} fetched again, ${readBack} read back`)
  expect(fetchedTwice).toBeLessThan(CHECKPOINT)
  expect(readBack).toBe(0)
  expect(result.bytesFetchedAgain).toBe(0)
  expect(await blobsOf(store)).toEqual(await blobsOf(remote))
  for await (const _ of store.read(digest)) void _
})

test('a push killed in the middle of a big layer continues in a new process where the registry says', {
  timeout: 600_000,
}, async () => {
  using directory = temporaryDirectory('transfer-kill')
  await using store = await openStore(directory.path, { durability: 'none' })
  const digest = await fill(store, PUSHED)
  const remote = createMemoryStore()
  await using registry = await createFaultyRegistry({ store: remote })
  const reference = `${registry.host}/app:1`
  registry.misbehave({ kind: 'too-many-requests', retryAfter: 50 }, { method: 'PATCH', skip: 2 })
  const first = start('push', directory.path, reference)
  await expect.poll(() => registry.seen.some(({ fault }) => fault), { timeout: 600_000 }).toBe(true)
  await first.kill()

  const before = registry.seen.length
  const { steps, result } = await start('push', directory.path, reference).report()
  expect(steps.find(step => step.descriptor.digest === digest)).toMatchObject({
    need: 'resume',
    offset: 2 * CHECKPOINT,
  })
  const pieces = registry.seen.slice(before).filter(({ method }) => method === 'PATCH')
  expect(pieces.reduce((sum, { received }) => sum + received, 0)).toBe(PUSHED - 2 * CHECKPOINT)
  expect(result.bytesUploadedAgain).toBe(0)
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
})

test('two processes that push one blob from one store at the same time send it once', {
  timeout: 240_000,
}, async () => {
  using directory = temporaryDirectory('transfer-kill')
  await using store = await openStore(directory.path, { durability: 'none' })
  const digest = await fill(store, PUSHED)
  const remote = createMemoryStore()
  await using registry = await createFaultyRegistry({ store: remote })
  // The first process to send waits in the middle until the other has begun to wait.
  registry.misbehave({ kind: 'too-many-requests', retryAfter: 3 }, { method: 'PATCH', skip: 1 })
  const first = start('push', directory.path, `${registry.host}/app:1`)
  await expect.poll(() => registry.seen.some(({ fault }) => fault)).toBe(true)
  const reports = await Promise.all([first.report(), start('push', directory.path, `${registry.host}/app:2`).report()])
  const big = reports.map(({ steps }) => steps.find(step => step.descriptor.digest === digest)!.need)
  expect(big).toEqual(['upload', 'await'])
  const pieces = registry.seen.filter(({ method, fault }) => method === 'PATCH' && !fault)
  expect(pieces.reduce((sum, { received }) => sum + received, 0)).toBe(PUSHED)
  // Bytes refused with 429 had already been sent.
  expect(reports[0]!.result.bytesUploadedAgain).toBeLessThan(CHECKPOINT)
  expect(reports[1]!.result.bytesUploadedAgain).toBe(0)
  expect(reports[1]!.result.bytesUploaded).toBeLessThan(PUSHED)
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
  for (const name of ['app:1', 'app:2']) expect(await remote.references.get(name)).toBeDefined()
})

test('a push continues with what another process sends at the moment when that one dies', {
  timeout: 240_000,
}, async () => {
  using directory = temporaryDirectory('transfer-kill')
  await using store = await openStore(directory.path, { durability: 'none' })
  await fill(store, PUSHED)
  const remote = createMemoryStore()
  await using registry = await createFaultyRegistry({ store: remote })
  registry.misbehave({ kind: 'too-many-requests', retryAfter: 50 }, { method: 'PATCH', skip: 2 })
  const first = start('push', directory.path, `${registry.host}/app:1`)
  await expect.poll(() => registry.seen.some(({ fault }) => fault)).toBe(true)
  const asked = registry.seen.length
  const second = start('push', directory.path, `${registry.host}/app:2`)
  // The second process has asked about every blob and waits. The sum below shows that it sent nothing before the kill.
  await expect.poll(() => registry.seen.length - asked).toBeGreaterThanOrEqual(3)
  await first.kill()
  const { result } = await second.report()
  const pieces = registry.seen.slice(asked).filter(({ method }) => method === 'PATCH')
  expect(pieces.reduce((sum, { received }) => sum + received, 0)).toBe(PUSHED - 2 * CHECKPOINT)
  expect(result.bytesUploadedAgain).toBe(0)
  expect(await blobsOf(remote)).toEqual(await blobsOf(store))
})
