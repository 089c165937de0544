import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { faults, systemError } from '../helpers/faulty-fs.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

vi.mock('node:fs/promises', async original => {
  const { faultyFs } = await import('../helpers/faulty-fs.ts')
  return faultyFs(await original())
})
afterEach(() => faults.reset())

test.each(['EPERM', 'ENOTSUP'])('a file system that refuses hard links with %s works as well', async code => {
  faults.reset(name => (name === 'link' ? systemError(code, 'link') : undefined))
  using directory = temporaryDirectory('no-links')
  const store = await openStore(directory.path)
  const { manifest } = await putStoreImage(store)
  await putStoreImage(store)
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.references.set(`app:${i}`, manifest)))
  const other = await openStore(directory.path)
  await Promise.all([store.references.set('a:1', manifest), other.references.set('a:2', manifest)])
  const names: string[] = []
  for await (const { name } of other.references.list()) names.push(name)
  expect(names).toHaveLength(22)
  for await (const { digest } of other.list()) for await (const _ of other.read(digest)) void _
  await store.close()
  await other.close()
  expect(readdirSync(join(directory.path, '.layerstore/locks'))).toEqual([])
})

test('a file system without directory syncs works as well, a failing sync rejects', async () => {
  using directory = temporaryDirectory('no-sync')
  const store = await openStore(directory.path)
  let code = 'EINVAL'
  let syncs = 0
  faults.reset((name, _, path) => {
    if (name !== 'open' || !String(path).endsWith('blobs/sha256')) return undefined
    syncs++
    return systemError(code)
  })
  await store.put(Buffer.from('x'))
  expect(syncs).toBe(1)
  code = 'EIO'
  await expect(store.put(Buffer.from('y'))).rejects.toMatchObject({ code: 'ERR_STORE_IO', errno: 'EIO' })
  await store.close()
})

test('ST-08: short writes are continued', async () => {
  using directory = temporaryDirectory('short')
  const store = await openStore(directory.path)
  faults.longestWrite = 1000
  const { digest, size } = await store.put(Buffer.alloc(300_001, 'ab'))
  expect(faults.calls.filter(name => name === 'handle.write')).toHaveLength(301)
  faults.longestWrite = Number.POSITIVE_INFINITY
  for await (const _ of store.read(digest)) void _
  expect(size).toBe(300_001)
  await store.close()
})
