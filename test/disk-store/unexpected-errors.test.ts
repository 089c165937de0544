import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { driverOf } from '../../lib/store/drivers/store-driver.ts'
import type { Store } from '../../lib/store/index.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

// A look that fails says nothing about a file: no error but ENOENT and its like may be taken for its absence.

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
vi.mock('../../lib/disk-store/blobs/calls-at-once.ts', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let digest: Digest

beforeEach(async () => {
  directory = temporaryDirectory('unexpected')
  store = await openStore(directory.path)
  digest = (await store.put(Buffer.from('blob'))).digest
})
afterEach(async () => {
  faults.reset()
  await store.close()
  directory[Symbol.dispose]()
})

const failing = (call: string, code: string, path = '') =>
  faults.reset((name, _, first) => (name === call && String(first).includes(path) ? systemError(code) : undefined))
const inTrash = () => {
  const trash = join(directory.path, '.layerstore/trash')
  mkdirSync(trash, { recursive: true })
  const trashed = join(trash, digest.replace(':', '-'))
  renameSync(join(directory.path, 'blobs', digest.replace(':', '/')), trashed)
  return trashed
}
const collection = () => driverOf(store).collection!
const leaveUnfinished = async () => {
  await using writer = await store.ingest('key')
  await writer.write(Buffer.from('unfinished'))
}

test.each<[string, call: string, path: string, act: () => Promise<unknown>]>([
  ['writing derived data', 'open', 'facts', () => store.derived.set('facts', digest, Buffer.alloc(200_000, 'a'))],
  ['listing derived data', 'readdir', 'facts', () => store.derived.list!('facts')],
  ['removing derived data', 'unlink', 'facts', () => store.derived.delete('facts', digest)],
  ['storing a blob that is there', 'lstat', 'blobs', () => store.put(Buffer.from('blob'))],
  ['looking at an unfinished ingest', 'lstat', '/data', () => store.statIngest!('key')],
  ['counting unfinished ingests', 'lstat', '/data', () => collection().unfinished()],
  ['listing ingests', 'readdir', 'ingests', () => collection().unfinished()],
])('%s fails when the disk does', async (_, call, path, act) => {
  await leaveUnfinished()
  failing(call, 'EIO', path)
  expect(await thrownBy(act)).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
})

test('an unfinished ingest that goes away while it is counted is not counted', async () => {
  await leaveUnfinished()
  expect(await collection().unfinished()).toEqual({ count: 1, bytes: 10 })
  failing('lstat', 'ENOENT', '/data')
  expect(await collection().unfinished()).toEqual({ count: 0, bytes: 0 })
  expect(await store.statIngest!('key')).toBeUndefined()
})

test.each([
  ['lstat', 'EIO'],
  ['link', 'EIO'],
])('a blob in the trash that cannot be looked at or restored is an error: %s', async (call, code) => {
  const trashed = inTrash()
  failing(call, code, trashed)
  expect(await thrownBy(() => store.stat(digest))).toMatchObject({ code: 'ERR_STORE_IO', errno: code })
  faults.reset()
  expect(await store.stat(digest)).toMatchObject({ digest })
})

test('a blob that another process restores from the trash at the same moment is found', async () => {
  const trashed = inTrash()
  const place = join(directory.path, 'blobs', digest.replace(':', '/'))
  faults.reset(name => {
    if (name === 'rename') renameSync(trashed, place)
    return name === 'link' ? systemError('EPERM') : undefined
  })
  expect(await store.stat(digest)).toMatchObject({ digest })
  expect(existsSync(trashed)).toBe(false)
})

test('a trash that cannot be listed stops a collection', async () => {
  failing('readdir', 'EIO', 'trash')
  expect(await thrownBy(() => collection().alone(async () => undefined))).toMatchObject({ errno: 'EIO' })
})

test('a store that is closed while an ingest opens gives no writer', async () => {
  const opening = thrownBy(() => store.ingest('key'))
  await store.close()
  expect(await opening).toMatchObject({ code: 'ERR_STORE_CLOSED' })
})

test('a file system that does not tell its free space is asked by writing', async () => {
  failing('statfs', 'ENOSYS')
  const bytes = Buffer.alloc(2 * 1024 * 1024)
  const stored = await store.put(bytes, { size: bytes.length })
  expect(stored.digest).toBe(await digestOf(bytes))
  expect(faults.calls).toContain('statfs')
})

test('a blob that is larger than the free space is refused before a byte is written', async () => {
  faults.reset()
  const error = await thrownBy(() => store.put(Buffer.alloc(1), { size: 2 ** 52 }))
  expect(error).toMatchObject({ code: 'ERR_STORE_IO', errno: 'ENOSPC' })
  expect(faults.calls).not.toContain('handle.write')
})

test('a released lease is not renewed', async () => {
  const lease = await store.leases.hold()
  await lease.release()
  faults.reset()
  await lease.renew()
  expect(faults.calls).not.toContain('lutimes')
  expect(readdirSync(join(directory.path, '.layerstore/leases'))).toEqual([])
})

test('a small blob, and one that is not there, are read while all large reads wait', async () => {
  const { digest: large } = await store.put(Buffer.alloc(1024 * 1024))
  // As many as may be open at once.
  const paused = Array.from({ length: 20 }, () => store.read(large)[Symbol.asyncIterator]())
  await Promise.all(paused.map(reader => reader.next()))
  faults.reset()
  expect((await readAll(store.read(digest))).toString()).toBe('blob')
  // The size is looked up only if all large reads are taken.
  expect(faults.calls).toContain('lstat')
  const absent = await digestOf(Buffer.from('absent'))
  expect(await thrownBy(() => readAll(store.read(absent)))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  await Promise.all(paused.map(reader => reader.return?.()))
})

test('only records are mended, whatever a report says', async () => {
  mkdirSync(join(directory.path, '.layerstore/other/x'), { recursive: true })
  const { checking } = driverOf(store)
  expect(await checking!.mend('.layerstore/other/x', async () => [])).toBeUndefined()
  expect(existsSync(join(directory.path, '.layerstore/other/x'))).toBe(true)
})

test('a store without durability sets a name twice without a sync', async () => {
  await using fast = await openStore(directory.path, { durability: 'none' })
  const descriptor = { mediaType: 'application/octet-stream', digest, size: 4 }
  await fast.references.set('a:1', descriptor)
  faults.reset()
  await fast.references.set('a:1', descriptor)
  expect(faults.calls.filter(call => call.endsWith('sync'))).toEqual([])
})

test('flags of another kind than true or false are refused', async () => {
  for (const options of [{ readOnly: 'yes' }, { create: 1 }] as object[]) {
    const error = await thrownBy(() => openStore(directory.path, options))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  }
})
