import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { openStore, type Store } from '../../lib/store/index.ts'
import type { Faults } from '../helpers/faulty-fs.ts'
import { openFilesBelow } from '../helpers/open-handles.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const { faults } = await vi.hoisted(async () => {
  const helpers = await import('../helpers/faulty-fs.ts')
  return { faults: new helpers.Faults() as Faults }
})
vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original(), faults)
})

afterEach(() => faults.reset())

const RESUMED = Buffer.concat([Buffer.alloc(300_000, 'a'), Buffer.alloc(300_000, 'b')])

const ACTS: Record<string, (store: Store) => Promise<unknown>> = {
  'put and tag': async store => {
    const { manifest } = await putStoreImage(store, 'a layer of the act')
    await store.references.set('act:1', manifest)
  },
  'resume and commit': async store => {
    {
      await using writer = await store.ingest('key')
      await writer.write(RESUMED.subarray(writer.offset, 300_000))
    }
    const writer = await store.ingest('key')
    await writer.write(RESUMED.subarray(writer.offset))
    expect((await writer.commit({ size: 600_000 })).digest).toBe(await digestOf(RESUMED))
  },
  'untag and delete': async store => {
    const { layer } = await putStoreImage(store, 'a layer to go')
    await store.references.delete('first:1')
    await store.delete(layer.digest)
  },
}

/** One act in a store that has one image, under faults; then the same store without them must be as good as new. */
async function actUnder(act: (store: Store) => Promise<unknown>, code: string, n: number): Promise<boolean> {
  const { systemError } = await import('../helpers/faulty-fs.ts')
  using directory = temporaryDirectory('every-call')
  const before = await openStore(directory.path, { hasher: 'native' })
  const { manifest } = await putStoreImage(before, 'first')
  await before.references.set('first:1', manifest)
  await before.close()

  let hit = false
  faults.reset((_, count) => {
    if (count !== n) return undefined
    hit = true
    return systemError(code)
  })
  const errors: unknown[] = []
  await openStore(directory.path, { hasher: 'wasm' })
    .then(async store => {
      await act(store).catch(error => errors.push(error))
      await store.close().catch(error => errors.push(error))
    })
    .catch(error => errors.push(error))
  faults.reset()
  for (const error of errors) expect(LayerStoreError.is(error), `${code} at ${n}: ${(error as Error).stack}`).toBe(true)
  expect(openFilesBelow(directory.path)).toEqual([])
  await expectSound(directory.path, act)
  return hit
}

async function expectSound(path: string, act: (store: Store) => Promise<unknown>): Promise<void> {
  const after = await openStore(path)
  for await (const { digest } of after.list()) for await (const _ of after.read(digest)) void _
  for await (const { name, descriptor } of after.references.list()) await after.references.set(name, descriptor)
  await act(after)
  await after.close()
  expect(readdirSync(join(path, '.layerstore/locks')).filter(name => !name.endsWith('.tmp'))).toEqual([])
}

for (const [name, act] of Object.entries(ACTS)) {
  for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'EACCES']) {
    test(`${name}: every single call may fail with ${code}, and the store stays sound`, {
      timeout: 40_000,
    }, async () => {
      let n = 1
      while (await actUnder(act, code, n)) n++
      expect(n).toBeGreaterThan(30)
    })
  }
}
