import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { DigestCache } from '../../../lib/build/context/digest-cache.ts'
import { openContext } from '../../../lib/build/index.ts'
import { digestOf } from '../../../lib/digest/index.ts'
import { createMemoryStore, readOnlyStore } from '../../../lib/store/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

type Memory = ReturnType<typeof createMemoryStore>

async function hash(directory: string, store: Memory, paths: readonly string[]) {
  await using context = await openContext(directory, { store })
  return await context.tree.digests(paths.map(path => context.tree.stat(path)!))
}

/** Resolves when files that exist now count as unchanged for good. */
const settle = () => setTimeout(150)

async function keysOf(store: Memory): Promise<string[]> {
  return (await store.derived.list('facts')).filter(key => key.startsWith('context:'))
}

test('digests that were kept and cannot be read are computed again', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('digest-cache')
  writeFileSync(join(directory.path, 'f'), 'x')
  await settle()
  const digests = await hash(directory.path, store, ['f'])
  const [key] = await keysOf(store)
  const kept = Buffer.from((await store.derived.get('facts', key!))!)
  const wrong = [
    Buffer.from('other'),
    kept.subarray(0, kept.length - 3),
    Buffer.from(kept.toString().replace(/[0-9a-f]{64}/, 'x'.repeat(64))),
  ]
  for (const bytes of wrong) {
    await store.derived.set('facts', key!, bytes)
    expect(await hash(directory.path, store, ['f'])).toEqual(digests)
  }
})

test('digests of a file that was changed just now are not kept for later builds', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('digest-cache')
  const soon = Date.now() / 1000 + 3600
  writeFileSync(join(directory.path, 'old'), 'x')
  await settle()
  writeFileSync(join(directory.path, 'new'), `${soon}`)
  await hash(directory.path, store, ['old', 'new'])
  const [key] = await keysOf(store)
  const text = Buffer.from((await store.derived.get('facts', key!))!).toString()
  expect(text).toContain('\0old\0')
  expect(text).not.toContain('\0new\0')
})

test('digests of files that are gone do not pile up', async () => {
  await using store = createMemoryStore()
  const digest = await digestOf(Buffer.from('x'))
  const first = await DigestCache.open(store.derived, '/d')
  for (let i = 0; i < 100_010; i++) first.set(`gone/${i}`, '1:2:3', digest, true)
  await first.save()
  const second = await DigestCache.open(store.derived, '/d')
  expect(second.get('gone/7', '1:2:3')?.digest).toBe(digest)
  second.set('f', '4:5:6', digest, true)
  await second.save()
  const third = await DigestCache.open(store.derived, '/d')
  const kept = Array.from({ length: 100_010 }, (_, i) => third.get(`gone/${i}`, '1:2:3')).filter(Boolean)
  expect(kept).toHaveLength(100_001)
  expect(third.get('f', '4:5:6')?.digest).toBe(digest)
  expect(third.get('f', '4:5:7')).toBeUndefined()
})

test('a store that takes no digests does not fail a build', async () => {
  await using store = createMemoryStore()
  using directory = temporaryDirectory('digest-cache')
  writeFileSync(join(directory.path, 'f'), 'x')
  await settle()
  const refusing = {
    ...readOnlyStore(store),
    derived: { ...store.derived, get: () => Promise.reject(new Error()), set: () => Promise.reject(new Error()) },
  }
  await using context = await openContext(directory.path, { store: refusing as never })
  expect(await context.tree.digests([context.tree.stat('f')!])).toHaveLength(1)
})

test('digests are found in any order, and are kept with those that nobody asked for', async () => {
  await using store = createMemoryStore()
  const digests = await Promise.all(Array.from({ length: 50 }, (_, i) => digestOf(Buffer.from(`${i}`))))
  const names = digests.map((_, i) => (i % 7 === 0 ? `ä/\udcff/${i}` : `a/${i}`))
  const first = await DigestCache.open(store.derived, '/d')
  for (const [i, name] of names.entries()) first.set(name, `id:${i}`, digests[i]!, true)
  await first.save()
  const orders = [[...names.keys()], [...names.keys()].reverse(), [3, 4, 5, 2, 40, 41], [0, 1, 2]]
  for (const order of orders) {
    const cache = await DigestCache.open(store.derived, '/d')
    for (const i of order) {
      expect(cache.get(names[i]!, `id:${i}`)?.digest).toBe(digests[i])
      expect(cache.get(names[i]!, `id:${i + 1}`)).toBeUndefined()
    }
    expect(cache.get('b', 'id:1')).toBeUndefined()
    cache.set('new', 'id:new', digests[0]!, true)
    await cache.save()
  }
  const last = await DigestCache.open(store.derived, '/d')
  expect(names.map((name, i) => last.get(name, `id:${i}`)?.digest)).toEqual(digests)
  expect(last.get('new', 'id:new')?.digest).toBe(digests[0])
})
