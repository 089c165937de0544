import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { assertComplete, type Store } from '../../lib/store/index.ts'
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

afterEach(() => faults.reset())

/** In CI each call fails with each of these codes; otherwise every fifth call does, with one code in turn. */
const CODES = ['ENOSPC', 'EIO', 'EMFILE', 'EACCES']
const STEP = sweep(1, 5)
/** Number of faults in one directory: leftovers of one must not affect the next ones. */
const EACH = 24

/** Operations run under faults; the number makes the bytes of each run different. */
const ACTS: Record<string, (store: Store, i: number) => Promise<unknown>> = {
  'put and tag': async (store, i) => {
    const { manifest } = await putStoreImage(store, `a layer of the act ${i}`)
    await store.references.set('act:1', manifest)
  },
  'resume and commit': async (store, i) => {
    const bytes = Buffer.alloc(600_000, `resumed ${i}`)
    {
      await using writer = await store.ingest(`key ${i}`)
      await writer.write(bytes.subarray(writer.offset, 300_000))
    }
    const writer = await store.ingest(`key ${i}`)
    await writer.write(bytes.subarray(writer.offset))
    expect((await writer.commit({ size: 600_000 })).digest).toBe(await digestOf(bytes))
    await store.delete(await digestOf(bytes))
  },
  'untag and delete': async (store, i) => {
    const { layer } = await putStoreImage(store, `a layer to go ${i}`)
    await store.references.delete('act:1')
    await store.delete(layer.digest)
  },
  'put in a batch, tag and close': async (store, i) => {
    const { manifest } = await putStoreImage(store, `a layer of the batch ${i}`)
    await store.references.set('act:1', manifest)
  },
}

async function actUnder(path: string, name: string, { code, n, i }: { code: string; n: number; i: number }) {
  let hit = false
  faults.reset((_, count) => {
    if (count !== n) return undefined
    hit = true
    return systemError(code)
  })
  const errors: unknown[] = []
  await openStore(path, { durability: name.includes('batch') ? 'batch' : 'full' })
    .then(async store => {
      await ACTS[name]!(store, i).catch(error => errors.push(error))
      await store.close().catch(error => errors.push(error))
    })
    .catch(error => errors.push(error))
  faults.reset()
  for (const error of errors) expect(LayerStoreError.is(error), `${code} at ${n}: ${(error as Error).stack}`).toBe(true)
  expect(openFilesBelow(path)).toEqual([])
  return hit
}

/** Expects that a store that was open throughout sees complete names, intact blobs and no lock. */
async function expectSound(path: string, store: Store): Promise<void> {
  for await (const { digest } of store.list()) for await (const _ of store.read(digest)) void _
  for await (const { descriptor } of store.references.list()) await assertComplete(store, descriptor)
  expect(await store.references.get('first:1')).toBeDefined()
  expect(readdirSync(join(path, '.layerstore/locks')).filter(name => !name.endsWith('.tmp'))).toEqual([])
}

/** Expects that the act succeeds without faults, and that names can be set. */
async function expectUsable(path: string, name: string): Promise<void> {
  await using store = await openStore(path)
  await ACTS[name]!(store, -1)
  for await (const { name, descriptor } of store.references.list()) await store.references.set(name, descriptor)
}

test.each(Object.keys(ACTS))(
  'ST-03, ST-04: %s: every single call may fail, and the store stays sound',
  {
    timeout: 240_000,
  },
  async name => {
    const cases = function* () {
      let i = 0
      for (let n = 1 + (name.length % STEP); ; n += STEP) {
        for (const code of sweep(CODES, [CODES[n % CODES.length]!])) yield { code, n, i: i++ }
      }
    }
    let [failed, done] = [0, false]
    const left = cases()
    while (!done) {
      using directory = memoryDirectory('every-call')
      await using observer = await openStore(directory.path, { hasher: 'native' })
      await observer.references.set('first:1', (await putStoreImage(observer, 'first')).manifest)
      for (let turn = 0; turn < EACH && !done; turn++) {
        const next = left.next().value!
        if (await actUnder(directory.path, name, next)) failed++
        else done = true
        await expectSound(directory.path, observer)
      }
      await expectUsable(directory.path, name)
    }
    console.log(`${name}: ${failed} calls failed, one at a time`)
    expect(failed).toBeGreaterThan(sweep(4 * 30, 30 / STEP))
  },
)
