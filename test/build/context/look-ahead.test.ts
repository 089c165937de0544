import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { AheadOfWalk } from '../../../lib/build/context/ahead-of-walk.ts'
import { DigestCache } from '../../../lib/build/context/digest-cache.ts'
import { DirectorySource } from '../../../lib/build/context/directory-source.ts'
import { ListingCache } from '../../../lib/build/context/listing-cache.ts'
import { lookAhead } from '../../../lib/build/context/look-ahead.ts'
import { type RowStats, StatRows } from '../../../lib/build/context/stat-rows.ts'
import { packListing, StoredListings } from '../../../lib/build/context/stored-listings.ts'
import { openContext } from '../../../lib/build/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { needs } from '../../helpers/needs.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const onLinux = test.runIf(needs(process.platform === 'linux', 'names are kept on Linux only'))

/** Resolves when what exists now counts as unchanged for good. */
const settle = () => setTimeout(150)

function file(name: string) {
  return { name, type: 'file' } as const
}

function seenOf(path: string) {
  const { mode, nlink, size, dev, ino, mtimeMs, ctimeMs } = lstatSync(path)
  return { mode, nlink, rdev: 0, size, dev, ino, mtimeMs, ctimeMs }
}

/** A directory with files, directories and other things, and its listings in the order of a walk. */
function smallTree(root: string): Uint8Array {
  mkdirSync(join(root, 'd'))
  writeFileSync(join(root, 'a'), 'a')
  writeFileSync(join(root, 'd/\u00e4'), 'umlaut')
  symlinkSync('a', join(root, 'link'))
  const names = [file('a'), { name: 'd', type: 'directory' }, file('gone'), { name: 'link', type: 'symlink' }] as const
  return StoredListings.encode([packListing('.', '1', names), packListing('d', '2', [file('\u00e4')])])
}

test('a look ahead has a row for each name, and leaves out what is no file and no directory', () => {
  using directory = temporaryDirectory('look-ahead')
  const root = directory.path
  const listings = smallTree(root)
  const rows = StatRows.create(8)
  expect(rows.read(0)).toBeUndefined()
  lookAhead({ root, listings, memory: rows.memory })
  expect({ ...rows.read(0) }).toEqual(seenOf(join(root, 'a')))
  expect({ ...rows.read(1) }).toEqual(seenOf(join(root, 'd')))
  expect([rows.read(2), rows.read(3)]).toEqual([undefined, undefined])
  expect({ ...rows.read(4) }).toEqual(seenOf(join(root, 'd/\u00e4')))
  expect(rows.read(5)).toBeUndefined()
})

test('a look ahead ends where the memory ends', () => {
  using directory = temporaryDirectory('look-ahead')
  const listings = smallTree(directory.path)
  const rows = StatRows.create(2)
  lookAhead({ root: directory.path, listings, memory: rows.memory })
  expect([0, 1, 2].map(row => rows.read(row))).toEqual([undefined, undefined, undefined])
})

test('a look ahead leaves rows to a walk that has come up to it', () => {
  using directory = temporaryDirectory('look-ahead')
  const root = directory.path
  const names = Array.from({ length: 80 }, (_, i) => file(`f${i}`))
  for (const { name } of names) writeFileSync(join(root, name), '')
  const records = names.map(name => packListing('.', '1', [name]))
  const rows = StatRows.create(80)
  rows.needed = 3
  lookAhead({ root, listings: StoredListings.encode(records), memory: rows.memory })
  // Three that the walk has passed, and 64 that it will have passed soon.
  const seen = names.map((_, row) => rows.read(row) !== undefined)
  expect(seen).toEqual(names.map((_, row) => row >= 67))
})

test('a path that cannot be looked at is left to the walk', () => {
  const rows = StatRows.create(1)
  const listings = StoredListings.encode([packListing('.', '1', [file('x'.repeat(300))])])
  lookAhead({ root: '/', listings, memory: rows.memory })
  expect(rows.read(0)).toBeUndefined()
})

test('stored listings say which row a directory begins with, as long as they are asked for in order', () => {
  const paths = ['.', 'd', 'e', 'f']
  const records = paths.map(path => packListing(path, '1', [file('x'), file('y')]))
  const listings = new StoredListings(StoredListings.encode(records))
  expect(listings.get('.', '1')?.row).toBe(0)
  expect(listings.get('d', 'other')).toBeUndefined()
  expect(listings.get('e', '1')?.row).toBe(4)
  expect(listings.get('.', '1')?.row).toBe(Number.POSITIVE_INFINITY)
  expect(listings.get('f', '1')?.row).toBe(Number.POSITIVE_INFINITY)
})

test('no row is known behind a damaged listing', () => {
  const records = ['.', 'd', 'e'].map(path => packListing(path, '1', [file('x')]))
  const bytes = Buffer.from(
    StoredListings.encode(records).toString('latin1').replace('d\x001\0f', 'd\x001\0?'),
    'latin1',
  )
  const listings = new StoredListings(bytes)
  expect([...listings.all()].map(({ path }) => path)).toEqual(['.'])
  expect(listings.get('.', '1')?.row).toBe(0)
  expect(listings.get('d', '1')).toBeUndefined()
  expect(listings.get('e', '1')?.row).toBe(Number.POSITIVE_INFINITY)
})

onLinux('a walk takes what was seen ahead, and a file that changed since then is not hashed', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('look-ahead', '/dev/shm')
  const root = directory.path
  for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), name)
  await settle()
  const open = async (aheadOf?: (listings: Uint8Array) => Pick<AheadOfWalk, 'pass' | 'read'>) => {
    const cache = await DigestCache.open(store.derived, root)
    const listings = await ListingCache.open(store.derived, root)
    const tree = new DirectorySource({
      root,
      name: 'x',
      ignore: ['c'],
      cache,
      listings,
      ahead: aheadOf?.(listings!.stored),
    })
    return { cache, listings, tree }
  }
  const first = await open()
  const digests = await first.tree.digests(first.tree.list('.'))
  await first.cache.save()
  await first.listings!.save()
  writeFileSync(join(root, 'b'), 'edited before')
  const read: (RowStats | undefined)[] = []
  const passed: number[] = []
  const { tree } = await open(listings => {
    const rows = StatRows.create(8)
    lookAhead({ root, listings, memory: rows.memory })
    return { pass: row => passed.push(row), read: row => read[read.push(rows.read(row)) - 1] }
  })
  writeFileSync(join(root, 'a'), 'edited after')
  const [a, b] = tree.list('.')
  expect([passed, read.length]).toEqual([[3], 2])
  expect([a?.size, b?.size]).toEqual([1, 13])
  expect(await tree.digests([a!])).toEqual([digests[0]])
  expect(await tree.digests([b!])).not.toEqual([digests[1]])
  expect(() => tree.lazy(a!).content()).toThrow(expect.objectContaining({ code: 'ERR_SOURCE_CHANGED' }))
})

/** Listings that are large enough for a thread, of one file. */
function largeListings(name: string): Uint8Array {
  return StoredListings.encode([packListing('.', '1', [file(name), ...Array(5000).fill(file('y'.repeat(60)))])])
}

test('a thread looks ahead, and what it has seen does not count for long', async () => {
  using directory = temporaryDirectory('look-ahead')
  writeFileSync(join(directory.path, 'x'), '')
  const started = performance.now()
  const ahead = (await AheadOfWalk.start(directory.path, largeListings('x')))!
  await expect.poll(() => ahead.read(0)?.ino).toBe(lstatSync(join(directory.path, 'x')).ino)
  const clock = vi.spyOn(performance, 'now').mockReturnValue(started + 1000)
  try {
    ahead.pass(1)
    expect(ahead.read(0)).toBeDefined()
    clock.mockReturnValue(started + 60_000)
    ahead.pass(2)
    expect(ahead.read(0)).toBeUndefined()
  } finally {
    clock.mockRestore()
  }
  await ahead.stop()
})

test('a thread that fails, or would not pay, leaves everything to the walk', async () => {
  expect(await AheadOfWalk.start('/', StoredListings.encode([]))).toBeUndefined()
  const ahead = (await AheadOfWalk.start(1 as unknown as string, largeListings('x')))!
  expect(ahead.read(0)).toBeUndefined()
  await ahead.stop()
})

onLinux('a context that looks ahead sees every change before it was opened', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('look-ahead', '/dev/shm')
  const root = directory.path
  const long = (i: number) => `${'n'.repeat(100)}${i}`
  for (let d = 0; d < 20; d++) {
    mkdirSync(join(root, `d${d}`))
    for (let i = 0; i < 150; i++) writeFileSync(join(root, `d${d}`, long(i)), '')
  }
  await settle()
  const scan = async (lookAhead: boolean) => {
    await using context = await openContext(root, { store, lookAhead })
    const files = context.tree.list('.').flatMap(({ path }) => context.tree.list(path))
    const digests = await context.tree.digests(files)
    return new Map(files.map(({ path }, i) => [path, digests[i]]))
  }
  const before = await scan(true)
  expect(before.size).toBe(3000)
  expect(await scan(true)).toEqual(before)
  writeFileSync(join(root, 'd7', long(7)), 'edited')
  writeFileSync(join(root, 'd19', 'added'), '')
  rmSync(join(root, 'd3', long(3)))
  const after = await scan(true)
  expect(after).toEqual(await scan(false))
  expect(after.size).toBe(3000)
  expect(after.get(`d7/${long(7)}`)).not.toBe(before.get(`d7/${long(7)}`))
  expect(after.has('d19/added')).toBe(true)
  expect(after.has(`d3/${long(3)}`)).toBe(false)
})
