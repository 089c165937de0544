import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { planCollection, readStoreUsage, runCollection } from '../../lib/maintenance/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { sweep } from '../helpers/sweep.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
vi.mock('../../lib/disk-store/blobs/calls-at-once.ts', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

let template: ReturnType<typeof memoryDirectory>
beforeAll(async () => {
  template = memoryDirectory('gc-template')
  await fill(template.path)
})
afterAll(() => template[Symbol.dispose]())
afterEach(() => faults.reset())

const HOUR = 3_600_000

async function fill(directory: string): Promise<void> {
  await using store = await openStore(directory, { durability: 'none', hasher: 'native' })
  const { manifest, layer } = await putStoreImage(store, 'named')
  await store.references.set('app:1', manifest)
  {
    await using writer = await store.ingest(layer.digest)
    await writer.write(Buffer.from('named'))
  }
  mkdirSync(join(directory, '.layerstore/cache'))
  writeFileSync(join(directory, '.layerstore/cache/record.json'), JSON.stringify({ blobs: [layer.digest] }))
  const older = await putStoreImage(store, 'dropped')
  await store.references.set('app:0', older.manifest)
  for (let i = 0; i < 3; i++) await store.put(Buffer.from(`garbage ${i}`))
  ageBlobs(directory, 3 * HOUR)
  ageBlobs(directory, 2 * HOUR, [manifest.digest])
}

async function collect(store: Store): Promise<unknown[]> {
  const lease = await store.leases.hold({ label: 'beside' })
  const plan = await planCollection(store, { keepLast: 1 })
  await lease.release()
  const result = await runCollection(store, plan)
  await readStoreUsage(store)
  return [...result.errors]
}

/**
 * Runs a collection in which one call fails; resolves to whether a call failed. Afterwards the store must be at least
 * as sound as before.
 */
async function collectUnder(code: string, n: number): Promise<boolean> {
  using directory = memoryDirectory('gc-every-call')
  // PERF: a copy takes a tenth of the time of filling a store.
  cpSync(template.path, directory.path, { recursive: true, preserveTimestamps: true })
  let [hit, calls] = [false, 0]
  const store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  faults.reset((_, __, path) => {
    // ENOENT for an existing lock file would contradict the open of the same file; no file system answers so.
    if ((code === 'ENOENT' && String(path).includes('/locks/')) || ++calls !== n) return undefined
    hit = true
    return systemError(code)
  })
  const errors: unknown[] = []
  await collect(store).catch(error => errors.push(error))
  faults.reset()
  await store.close().catch(error => errors.push(error))
  for (const error of errors) expect(LayerStoreError.is(error), `${code} at ${n}: ${(error as Error).stack}`).toBe(true)
  expect(openFilesBelow(directory.path)).toEqual([])
  await expectSound(directory.path)
  return hit
}

async function expectSound(path: string): Promise<void> {
  // The failed call may have left a lease of this process, which is alive.
  for (const name of leasesIn(path)) rmSync(join(path, '.layerstore/leases', name))
  const store = await openStore(path, { hasher: 'native' })
  for await (const { name, descriptor } of store.references.list()) await store.references.set(name, descriptor)
  ageBlobs(path, 3 * HOUR)
  ageBlobs(path, 2 * HOUR, [(await store.references.get('app:1'))!.digest])
  // The first collection restores the blobs that the failed one left in the trash; the second removes them.
  expect(await collect(store)).toEqual([])
  expect(await collect(store)).toEqual([])
  let blobs = 0
  for await (const { digest } of store.list()) {
    for await (const _ of store.read(digest)) void _
    blobs++
  }
  expect(blobs).toBe(3)
  expect(readdirSync(join(path, '.layerstore/trash'))).toEqual([])
  await store.close()
  expect(readdirSync(join(path, '.layerstore/locks')).filter(name => !name.endsWith('.tmp'))).toEqual([])
}

function leasesIn(path: string): string[] {
  try {
    return readdirSync(join(path, '.layerstore/leases'))
  } catch {
    return []
  }
}

/** In CI each call fails with two of these codes, by turns; otherwise every 24th call fails with one. */
const CODES = ['ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'EPERM', 'ENOENT']
const STEP = sweep(3, 24)

test.each(CODES.map((code, i) => [code, 1 + ((4 * i) % STEP)] as const))(
  'every single call of a collection may fail, also with %s, and the store stays sound',
  {
    timeout: 240_000,
  },
  async (code, first) => {
    let n = first
    while (await collectUnder(code, n)) n += STEP
    expect(n).toBeGreaterThan(30)
    console.log(`${code}: ${Math.ceil((n - first) / STEP)} calls failed, one at a time`)
  },
)

test('a file system without hard links does as well', async () => {
  using directory = memoryDirectory('gc-no-links')
  await fill(directory.path)
  faults.reset(name => (name === 'link' ? systemError('EPERM') : undefined))
  await using store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  expect(await collect(store)).toEqual([])
  const { digest } = await store.put(Buffer.from('on its way out'))
  const [trash, place] = [join(directory.path, '.layerstore/trash', digest.replace(':', '-')), digest.replace(':', '/')]
  const { renameSync } = await import('node:fs')
  renameSync(join(directory.path, 'blobs', place), trash)
  expect(await store.stat(digest)).toEqual({ digest, size: 14 })
  expect(await store.leases.touch(digest)).toBe(true)
  renameSync(join(directory.path, 'blobs', place), trash)
  expect(await collect(store)).toEqual([])
  expect(await store.stat(digest)).toEqual({ digest, size: 14 })
})

test('blobs that belong to others are named in the lease, as their age cannot be changed', async () => {
  using directory = memoryDirectory('gc-others')
  await fill(directory.path)
  await using store = await openStore(directory.path, { durability: 'none', hasher: 'native' })
  const { digest } = await store.put(Buffer.from('of another user'))
  ageBlobs(directory.path, 2 * HOUR)
  faults.reset(name => (name === 'lutimes' ? systemError('EPERM') : undefined))
  const lease = await store.leases.hold()
  expect(await lease.add(digest)).toBe(true)
  expect(await lease.add(digest)).toBe(true)
  expect((await store.put(Buffer.from('of another user'), { digest })).digest).toBe(digest)
  const plan = await planCollection(store)
  expect(plan.keep.find(kept => kept.digest === digest)?.why).toBe('lease unnamed')
  await lease.release()
})

test.each([
  ['leases', '.layerstore/leases'],
  ['ingests', '.layerstore/ingests'],
  ['cache', '.layerstore/cache'],
  ['blobs', 'blobs/sha256'],
])('what is in the way of %s is a typed error or nothing, never a crash', async (_, place) => {
  using directory = memoryDirectory('gc-way')
  await fill(directory.path)
  rmSync(join(directory.path, place), { recursive: true, force: true })
  writeFileSync(join(directory.path, place), 'a file')
  const error = await openStore(directory.path)
    .then(store => collect(store).finally(() => store.close()))
    .then(() => undefined)
    .catch(error => error)
  expect(error === undefined || LayerStoreError.is(error), String(error?.stack)).toBe(true)
})
