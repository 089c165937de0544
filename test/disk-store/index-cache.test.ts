import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import type { Store } from '../../lib/store/index.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const { index } = vi.hoisted(() => ({
  index: {
    /** Number of reads of `index.json`. */
    reads: 0,
    /** Replaces the result of a stat, if set. */
    looks: undefined as object | undefined,
  },
}))
vi.mock('../../lib/disk-store/layout.ts', async original => {
  const layout = await original<typeof import('../../lib/disk-store/layout.ts')>()
  return {
    ...layout,
    readIndexBytes: (places: Parameters<typeof layout.readIndexBytes>[0]) => {
      index.reads++
      return layout.readIndexBytes(places)
    },
  }
})
vi.mock('node:fs', async original => {
  const fs = await original<typeof import('node:fs')>()
  return {
    ...fs,
    fstatSync: (...args: Parameters<typeof fs.fstatSync>) => (args[1]?.bigint && index.looks) || fs.fstatSync(...args),
  }
})

let directory: ReturnType<typeof temporaryDirectory>
let store: Store
let manifest: Awaited<ReturnType<typeof putStoreImage>>['manifest']
let clock: number

beforeEach(async () => {
  directory = temporaryDirectory('index-cache')
  store = await openStore(directory.path, { durability: 'none' })
  manifest = (await putStoreImage(store)).manifest
  await store.references.set('app:1', manifest)
  clock = Math.ceil(performance.now())
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
})
afterEach(async () => {
  index.looks = undefined
  vi.restoreAllMocks()
  await store.close()
  directory[Symbol.dispose]()
})

const indexPath = () => join(directory.path, 'index.json')
const readIndex = () => readFileSync(indexPath(), 'utf8')

/** Looks names up until the file counts as settled. */
async function settle(ms = 100): Promise<void> {
  await store.references.get('app:1')
  clock += ms
  await store.references.get('app:1')
}

test('looking up a name, existing or not, does not read the index while its file is unchanged', async () => {
  await settle()
  index.reads = 0
  for (let i = 0; i < 50; i++) {
    expect(await store.references.get('app:1')).toEqual(manifest)
    expect(await store.references.get('none:1')).toBeUndefined()
    expect(await store.references.names!()).toEqual(['app:1'])
  }
  expect(index.reads).toBe(0)
})

test('the next look-up sees the writes of another process or tool', async () => {
  await settle()
  await using other = await openStore(directory.path, { durability: 'none' })
  await other.references.set('app:2', manifest)
  expect(await store.references.names!()).toEqual(['app:1', 'app:2'])
  await settle()
  writeFileSync(indexPath(), readIndex().replace('app:2', 'app:3'))
  expect(await store.references.get('app:3')).toEqual(manifest)
  expect(await store.references.names!()).toEqual(['app:1', 'app:3'])
})

test('a look-up sees a second write within one tick of the file system clock', async () => {
  const { statSync } = await import('node:fs')
  index.looks = statSync(indexPath(), { bigint: true })
  await store.references.get('app:1')
  clock += 50
  writeFileSync(indexPath(), readIndex().replace('app:1', 'app:2'))
  expect(await store.references.get('app:2')).toEqual(manifest)
  clock += 50
  expect(await store.references.get('app:2')).toEqual(manifest)
  index.reads = 0
  expect(await store.references.get('app:2')).toEqual(manifest)
  expect(index.reads).toBe(0)
})

test('on a file system with whole seconds, bytes are trusted after some seconds', async () => {
  const { statSync } = await import('node:fs')
  const stats = statSync(indexPath(), { bigint: true })
  const second = 1_700_000_000_000_000_000n
  index.looks = Object.assign(Object.create(stats), { mtimeNs: second, ctimeNs: second })
  await settle(2000)
  index.reads = 0
  await store.references.get('app:1')
  expect(index.reads).toBe(1)
  clock += 1000
  await store.references.get('app:1')
  index.reads = 0
  await store.references.get('app:1')
  expect(index.reads).toBe(0)
})

test('a change starts from the bytes of the index, whatever the stats of its file are', async () => {
  const { statSync } = await import('node:fs')
  index.looks = statSync(indexPath(), { bigint: true })
  await settle()
  writeFileSync(indexPath(), readIndex().replace('app:1', 'app:9'))
  await store.references.set('app:2', manifest)
  expect(JSON.parse(readIndex()).manifests).toHaveLength(2)
  expect(readIndex()).toContain('app:9')
})

test('names stay in order while names are added and removed', async () => {
  await using other = await openStore(directory.path, { durability: 'none' })
  expect(await store.references.names!()).toEqual(['app:1'])
  for (const [i, name] of ['b:1', 'a:1', 'c:1', 'a:0', 'b:0'].entries()) {
    await (i % 2 ? store : other).references.set(name, manifest)
    const names = await store.references.names!()
    expect(names).toEqual([...names].sort())
    expect(names).toHaveLength(i + 2)
    expect(await store.references.names!()).toBe(names)
  }
  await other.references.delete('b:1')
  await store.references.delete('a:1')
  expect(await store.references.names!()).toEqual(['a:0', 'app:1', 'b:0', 'c:1'])
})
