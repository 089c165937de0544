import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { packListing, StoredListings } from '../../../lib/build/context/stored-listings.ts'
import { openContext } from '../../../lib/build/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { mount } from '../../helpers/mount.ts'
import { needs } from '../../helpers/needs.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

type Memory = ReturnType<typeof createMemoryStore>

/** Resolves when directories that exist now count as unchanged for good. */
const settle = () => setTimeout(150)

async function pathsIn(directory: string, store: Memory): Promise<readonly string[]> {
  await using context = await openContext(directory, { store })
  return ['.', 'd', 'd/e'].flatMap(path => context.tree.list(path).map(node => node.path))
}

async function keysOf(store: Memory): Promise<string[]> {
  return (await store.derived.list('facts')).filter(key => key.startsWith('listing:'))
}

const FILE = { name: 'f', type: 'file' } as const

test('listings are found in any order, for the same identity only, whatever bytes the names have', () => {
  const listings = {
    '.': [{ name: 'd', type: 'directory' } as const, FILE],
    d: [],
    'd/\u00e4': [{ name: '\u00e4\udcff', type: 'symlink' } as const, { name: 's', type: undefined }],
  }
  const records = Object.entries(listings).map(([path, names]) => packListing(path, '1:2', names))
  for (const paths of [Object.keys(listings), Object.keys(listings).reverse()]) {
    const stored = new StoredListings(StoredListings.encode(records))
    for (const path of paths) {
      expect(stored.get(path, '1:3')).toBeUndefined()
      expect(stored.get(path, '1:2')?.names).toEqual(listings[path as keyof typeof listings])
    }
    expect(stored.get('other', '1:2')).toBeUndefined()
  }
})

test('damaged listings are no listings', () => {
  const whole = StoredListings.encode([packListing('.', '1', [FILE]), packListing('d', '2', [FILE])])
  expect(new StoredListings(Buffer.from(whole.toString('latin1').replace('\0f', '\0x'), 'latin1')).get('.', '1')).toBe(
    undefined,
  )
  const cut = new StoredListings(whole.subarray(0, whole.length - 2))
  expect(cut.get('.', '1')?.names).toEqual([FILE])
  expect(cut.get('d', '2')).toBeUndefined()
  expect(new StoredListings(Buffer.from('other')).get('.', '1')).toBeUndefined()
})

test('a build sees what was added, removed and exchanged in a directory that an earlier one has listed', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('listing-cache')
  const at = (path: string) => join(directory.path, path)
  mkdirSync(at('d/e'), { recursive: true })
  for (const path of ['a', 'd/b', 'd/e/c']) writeFileSync(at(path), path)
  await settle()
  const before = ['a', 'd', 'd/b', 'd/e', 'd/e/c']
  expect(await pathsIn(directory.path, store)).toEqual(before)
  expect(await pathsIn(directory.path, store)).toEqual(before)
  writeFileSync(at('d/new'), '')
  rmSync(at('d/e/c'))
  mkdirSync(at('d/e/c'))
  renameSync(at('a'), at('z'))
  const after = ['d', 'z', 'd/b', 'd/e', 'd/new', 'd/e/c']
  expect(await pathsIn(directory.path, store)).toEqual(after)
  await settle()
  expect(await pathsIn(directory.path, store)).toEqual(after)
})

test.runIf(needs(process.platform === 'linux', 'names are kept on Linux only'))(
  'kept names are used, and read again if one of them is not there',
  async () => {
    await using store = createMemoryStore()
    // The temporary directory of a container may be on an overlay, where no names are kept.
    using directory = temporaryDirectory('listing-cache', '/dev/shm')
    for (const name of ['one', 'two']) writeFileSync(join(directory.path, name), name)
    await settle()
    expect(await pathsIn(directory.path, store)).toEqual(['one', 'two'])
    const [key] = await keysOf(store)
    const kept = Buffer.from((await store.derived.get('facts', key!))!).toString('latin1')
    await store.derived.set('facts', key!, Buffer.from(kept.replace('fone\0', ''), 'latin1'))
    expect(await pathsIn(directory.path, store)).toEqual(['two'])
    await store.derived.set('facts', key!, Buffer.from(kept.replace('fone\0', 'fxxx\0'), 'latin1'))
    expect(await pathsIn(directory.path, store)).toEqual(['one', 'two'])
  },
)

test('names of a directory that was changed just now are not kept', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('listing-cache')
  writeFileSync(join(directory.path, 'a'), '')
  await pathsIn(directory.path, store)
  expect(await keysOf(store)).toEqual([])
})

test.runIf(process.platform === 'linux' && needsRoot())(
  'a build sees a file that was added to a lower directory of an overlay while it was not mounted',
  async () => {
    await using store = createMemoryStore()
    using directory = temporaryDirectory('listing-cache')
    const at = (path: string) => join(directory.path, path)
    for (const path of ['upper/d', 'lower/d']) mkdirSync(at(path), { recursive: true })
    writeFileSync(at('upper/d/a'), '')
    await settle()
    const listed = async () => {
      using overlay = mount(at('overlay'), '-t', 'overlay', 'overlay', '-o', `lowerdir=${at('upper')}:${at('lower')}`)
      return await pathsIn(overlay.path, store)
    }
    expect(await listed()).toEqual(['d', 'd/a'])
    writeFileSync(at('lower/d/b'), '')
    expect(await listed()).toEqual(['d', 'd/a', 'd/b'])
  },
)
