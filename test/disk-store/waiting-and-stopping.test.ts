import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { acquireLock } from '../../lib/internal/locks/lock.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: Store

beforeEach(async () => {
  directory = temporaryDirectory('waiting')
  store = await openStore(directory.path)
})
afterEach(async () => {
  await store.close()
  directory[Symbol.dispose]()
})

const lockPath = () => join(directory.path, '.layerstore/locks/index')
const reason = new Error('enough')
const soon = (ms = 40) => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), ms)
  return controller.signal
}

describe('names that wait for the lock of the index', () => {
  test('are dropped when they are aborted, and the others are set', async () => {
    const { manifest } = await putStoreImage(store)
    const lock = await acquireLock(lockPath())
    const impatient = thrownBy(() => store.references.set('gone:1', manifest, { signal: soon() }))
    const patient = store.references.set('here:1', manifest)
    expect(await impatient).toBe(reason)
    await lock.release()
    await patient
    expect(await store.references.get('gone:1')).toBeUndefined()
    expect(await store.references.get('here:1')).toEqual(manifest)
  })

  test('stop waiting when the last of them is aborted, and later ones wait anew', async () => {
    const { manifest } = await putStoreImage(store)
    const lock = await acquireLock(lockPath())
    expect(await thrownBy(() => store.references.set('a:1', manifest, { signal: soon() }))).toBe(reason)
    expect(await thrownBy(() => store.references.delete('a:1', { signal: soon() }))).toBe(reason)
    await expect.poll(() => readdirSync(join(directory.path, '.layerstore/locks'))).toEqual(['index'])
    const later = store.references.set('b:1', manifest)
    await lock.release()
    await later
    expect(await store.references.get('a:1')).toBeUndefined()
  })

  test('can be aborted at any moment: they are set, or they reject, never both', async () => {
    const { manifest } = await putStoreImage(store)
    for (let i = 0; i < 60; i++) {
      const controller = new AbortController()
      const setting = store.references.set(`r${i}:1`, manifest, { signal: controller.signal }).then(
        () => true,
        error => {
          expect(error).toBe(reason)
          return false
        },
      )
      setTimeout(() => controller.abort(reason), Math.random() * 6)
      const done = await setting
      expect((await store.references.get(`r${i}:1`)) !== undefined).toBe(done)
    }
  })

  test('are all rejected when the lock cannot be acquired', async () => {
    const { manifest } = await putStoreImage(store)
    const { rmSync, writeFileSync } = await import('node:fs')
    rmSync(join(directory.path, '.layerstore/locks'), { recursive: true })
    writeFileSync(join(directory.path, '.layerstore/locks'), '')
    const errors = await Promise.all(['a', 'b'].map(name => thrownBy(() => store.references.set(name, manifest))))
    expect(errors.map(error => error.code)).toEqual(['ERR_STORE_IO', 'ERR_STORE_IO'])
  })

  test('of a store that is closed meanwhile are still set', async () => {
    const { manifest } = await putStoreImage(store)
    const setting = Promise.all(Array.from({ length: 10 }, (_, i) => store.references.set(`app:${i}`, manifest)))
    const settled = setting.then(
      () => 10,
      () => 0,
    )
    await new Promise(resolve => setTimeout(resolve, 15))
    await store.close()
    const index = readFileSync(join(directory.path, 'index.json'), 'utf8')
    expect(JSON.parse(index).manifests.length).toBeGreaterThanOrEqual(await settled)
    expect(readdirSync(join(directory.path, '.layerstore/locks'))).toEqual([])
  })
})

describe('a memory store', () => {
  test('that is closed while an ingest waits for its key refuses it', async () => {
    const memory = createMemoryStore({ verify: 'once-per-process', hasher: 'native' })
    const writer = await memory.ingest('key')
    await writer.write(Buffer.from('x'))
    const waiting = thrownBy(() => memory.ingest('key', { wait: true }))
    await memory.close()
    expect((await waiting).code).toBe('ERR_STORE_CLOSED')
    expect((await thrownBy(() => writer.write(Buffer.from('y')))).code).toBe('ERR_WRITER_CLOSED')
  })

  test('lists only names that still exist when the iteration reaches them', async () => {
    const memory = createMemoryStore()
    const { manifest } = await putStoreImage(memory)
    for (const name of ['a:1', 'b:1', 'c:1']) await memory.references.set(name, manifest)
    const names: string[] = []
    for await (const { name } of memory.references.list()) {
      names.push(name)
      await memory.references.delete('b:1')
    }
    expect(names).toEqual(['a:1', 'c:1'])
    await memory.close()
  })
})
