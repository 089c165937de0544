import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { Places } from '../../lib/disk-store/places/places.ts'
import type { Store } from '../../lib/store/index.ts'
import { faults } from '../helpers/faulty-fs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

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
beforeEach(async () => {
  directory = temporaryDirectory('looks')
  store = await openStore(directory.path)
  await store.put(Buffer.from('there'))
  faults.reset()
})
afterEach(async () => {
  vi.restoreAllMocks()
  faults.reset()
  await store.close()
  directory[Symbol.dispose]()
})

const digests = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => digestOf(Buffer.from(`${i}`))))

test('blobs that are asked for together share the checks of their directory, and one look for the trash', async () => {
  const asked = [...(await digests(59)), await digestOf(Buffer.from('there'))]
  const checks = vi.spyOn(Places.prototype, 'directory')
  const trash = vi.spyOn(Places.prototype, 'hasTrash')
  const found = await Promise.all(asked.map(digest => store.stat(digest)))
  expect(found.filter(Boolean)).toEqual([{ digest: asked[59], size: 5 }])
  expect(faults.calls).toEqual(Array(60).fill('lstat'))
  expect([checks.mock.calls.length, trash.mock.calls.length]).toEqual([1, 1])
})

test('a directory of blobs that becomes a link is refused by every look', async () => {
  const asked = await digests(3)
  const blobs = join(directory.path, 'blobs/sha256')
  rmSync(blobs, { recursive: true })
  mkdirSync(join(directory.path, 'elsewhere'))
  symlinkSync(join(directory.path, 'elsewhere'), blobs)
  for (const look of await Promise.allSettled(asked.map(digest => store.stat(digest)))) {
    expect(look).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_FORMAT' } })
  }
  expect(faults.calls).toEqual([])
})

test('a put of known bytes looks for its blob once, and makes nine calls through the thread pool', async () => {
  const bytes = Buffer.from('new')
  await store.put(bytes, { digest: await digestOf(bytes), size: 3 })
  expect(faults.calls.filter(name => name === 'lstat')).toHaveLength(1)
  expect(faults.calls.filter(name => name !== 'lstat')).toEqual([
    ...['open', 'handle.write', 'handle.sync', 'link'],
    ...['open', 'handle.sync', 'unlink'],
  ])
})

test('a put of wrong bytes creates no file, and one of bytes that change meanwhile stores them as they were', async () => {
  const bytes = Buffer.from('before')
  const digest = await digestOf(bytes)
  const { code } = (await thrownBy(() => store.put(Buffer.from('others'), { digest }))) as { code: string }
  expect(code).toBe('ERR_DIGEST_MISMATCH')
  expect(faults.calls.filter(name => name === 'open')).toEqual([])
  faults.before = async name => {
    if (name === 'open') bytes.fill('x')
  }
  expect(await store.put(bytes, { digest })).toEqual({ digest, size: 6 })
  faults.reset()
  expect(bytes.toString()).toBe('xxxxxx')
  expect(readFileSync(join(directory.path, 'blobs/sha256', digest.slice(7)), 'utf8')).toBe('before')
})

test('a small blob is readable for all and writable for none, whatever the umask takes', async () => {
  const umask = process.umask(0o077)
  try {
    const { digest } = await store.put(Buffer.from('private'))
    const { mode } = statSync(join(directory.path, 'blobs/sha256', digest.slice(7)))
    expect((mode & 0o777).toString(8)).toBe('444')
  } finally {
    process.umask(umask)
  }
})

test('closing a store waits for its small puts', async () => {
  const order: string[] = []
  let letWrite = () => {}
  const held = new Promise<void>(resolve => {
    letWrite = resolve
  })
  faults.before = async name => (name === 'handle.write' ? held : undefined)
  const put = store.put(Buffer.from('late')).then(() => order.push('stored'))
  while (!faults.calls.includes('handle.write')) await new Promise(resolve => setImmediate(resolve))
  const closed = store.close().then(() => order.push('closed'))
  await new Promise(resolve => setTimeout(resolve, 100))
  letWrite()
  await Promise.all([put, closed])
  expect(order).toEqual(['stored', 'closed'])
})
