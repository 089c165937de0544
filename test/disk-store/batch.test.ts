import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import type { Store } from '../../lib/store/index.ts'
import { beforeThisBoot } from '../helpers/before-this-boot.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { memoryDirectory } from '../helpers/memory-directory.ts'
import { readAll } from '../helpers/read-all.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { blobPath, damageBlob } from '../helpers/store-subjects.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

let directory: ReturnType<typeof memoryDirectory>
let store: Store
beforeEach(async () => {
  directory = memoryDirectory('batch')
  store = await openStore(directory.path, { durability: 'batch' })
})
afterEach(async () => {
  faults.reset()
  await store.close()
  directory[Symbol.dispose]()
})

const markers = () => {
  const path = join(directory.path, '.layerstore/unsynced')
  return existsSync(path) ? readdirSync(path).map(name => join(path, name)) : []
}
const syncs = () => faults.calls.filter(name => name === 'handle.sync').length

/** Leaves the files of a store whose process or machine dies now. */
function leaveMarker(change: object): void {
  const [path] = markers()
  const left = `${path?.slice(0, -5)}0.json`
  writeFileSync(left, JSON.stringify({ ...JSON.parse(readFileSync(path!, 'utf8')), ...change }))
  if ('boot' in change) utimesSync(left, beforeThisBoot(), beforeThisBoot())
}

test('blobs are synced before the name is set, and not one by one', async () => {
  await store.put(Buffer.from('first, which writes the marker'))
  faults.reset()
  const blobs: Digest[] = []
  for (let i = 0; i < 20; i++) blobs.push((await store.put(Buffer.from(`blob ${i}`))).digest)
  expect(syncs()).toBe(0)
  const { manifest } = await putStoreImage(store)
  const order: string[] = []
  faults.reset((name, _, path) => {
    if (name === 'handle.sync' || name === 'rename') order.push(`${name} ${String(path)}`)
    return undefined
  })
  await store.references.set('app:1', manifest)
  const renamed = order.findIndex(call => call.includes('index.json'))
  // 24 blobs and their directory, then the new index.
  expect(order.slice(0, renamed).filter(call => call.startsWith('handle.sync'))).toHaveLength(24 + 1 + 1)
  faults.reset()
  await store.references.set('app:2', manifest)
  expect(syncs()).toBe(2)
})

test('what is there already is synced, and nothing is written for it', async () => {
  const { manifest } = await putStoreImage(store)
  await store.references.set('app:1', manifest)
  await store.close()
  store = await openStore(directory.path, { durability: 'batch' })
  const index = () => statSync(join(directory.path, 'index.json')).ino
  const written = index()
  const { digest, size } = manifest
  await store.put(await readAll(store.read(digest)), { digest, size })
  expect(markers()).toEqual([])
  faults.reset()
  await store.references.set('app:1', manifest)
  expect(index()).toBe(written)
  // The blob and its directory, the index and its directory.
  expect(syncs()).toBe(4)
  await store.references.set('app:1', { ...manifest, annotations: { a: '1' } })
  expect(index()).not.toBe(written)
  expect(await store.references.get('app:1')).toEqual({ ...manifest, annotations: { a: '1' } })
})

test('closing syncs the remaining blobs, and removes the marker', async () => {
  await store.put(Buffer.from('x'))
  expect(markers()).toHaveLength(1)
  faults.reset()
  await store.close()
  expect(syncs()).toBe(2)
  expect(markers()).toEqual([])
})

test('a blob that cannot be synced is removed, the name is not set, and closing rejects', async () => {
  const { manifest, layer, config } = await putStoreImage(store)
  faults.reset(name => (name === 'handle.sync' ? systemError('EIO') : undefined))
  expect(await thrownBy(() => store.references.set('app:1', manifest))).toMatchObject({
    code: 'ERR_STORE_IO',
    errno: 'EIO',
  })
  faults.reset()
  expect(await store.references.get('app:1')).toBeUndefined()
  const gone = [manifest, layer, config].filter(({ digest }) => !existsSync(blobPath(directory.path, digest)))
  expect(gone.length).toBeGreaterThan(0)
  expect((await thrownBy(() => store.references.set('app:1', manifest))).code).toBe('ERR_BLOB_NOT_FOUND')
  await putStoreImage(store)
  await store.references.set('app:1', manifest)
})

test('a store that syncs each blob syncs those of a batch before it names or acknowledges them', async () => {
  const { manifest, layer } = await putStoreImage(store)
  const other = await openStore(directory.path)
  await other.put(Buffer.from('the first write looks after the directories'))
  faults.reset()
  await other.put(Buffer.from('layer'), { digest: layer.digest })
  expect(syncs()).toBe(2)
  faults.reset()
  await other.references.set('app:1', manifest)
  // Three blobs, their directory, the index and its directory.
  expect(syncs()).toBe(3 + 1 + 2)
  await other.close()
})

test('opening the store syncs the blobs of a dead process', async () => {
  await store.put(Buffer.from('x'))
  leaveMarker({ pid: 2 ** 22 + 5, start: '1' })
  expect(markers()).toHaveLength(2)
  faults.reset()
  const next = await openStore(directory.path)
  expect(syncs()).toBeGreaterThan(1)
  expect(markers()).toHaveLength(1)
  await next.close()
})

test('after a power cut torn blobs are moved to quarantine, and can be stored again', async () => {
  const { digest } = await store.put(Buffer.from('torn by the power cut'))
  const { digest: right } = await store.put(Buffer.from('written in time'))
  leaveMarker({ boot: 'before the power cut' })
  damageBlob(directory.path, digest, 'flip')
  const next = await openStore(directory.path)
  expect(await next.stat(digest)).toBeUndefined()
  expect((await readAll(next.read(right))).toString()).toBe('written in time')
  expect(readdirSync(join(directory.path, '.layerstore/quarantine'))).toHaveLength(1)
  expect(markers()).toHaveLength(1)
  await next.put(Buffer.from('torn by the power cut'), { digest, size: 21 })
  expect((await readAll(next.read(digest))).toString()).toBe('torn by the power cut')
  await next.close()
})

test('an unreadable marker, or one with unreadable blobs, stays and does not block opening', async () => {
  await store.put(Buffer.from('x'))
  leaveMarker({ boot: 'before the power cut' })
  faults.reset((name, _, path) =>
    name === 'readdir' && String(path).includes('blobs') ? systemError('EIO') : undefined,
  )
  const next = await openStore(directory.path)
  expect(markers()).toHaveLength(2)
  faults.reset()
  writeFileSync(join(directory.path, '.layerstore/unsynced/broken.json'), 'no owner')
  await (await openStore(directory.path)).close()
  expect(markers().some(path => path.endsWith('broken.json'))).toBe(true)
  await next.close()
  expect((await createOwner()).boot).not.toBe('before the power cut')
})

test('a batch whose blobs cannot be read now is settled by a later opening', async () => {
  await store.put(Buffer.from('x'))
  leaveMarker({ boot: 'before the power cut' })
  faults.reset(name => (name === 'handle.read' ? systemError('EIO') : undefined))
  await (await openStore(directory.path)).close()
  expect(markers()).toHaveLength(2)
  faults.reset()
  await (await openStore(directory.path)).close()
  expect(markers()).toHaveLength(1)
})
