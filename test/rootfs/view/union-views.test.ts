import { expect, test, vi } from 'vitest'
import { openUnionView, UnionViews } from '../../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../../lib/store/index.ts'
import { dumpView } from '../../helpers/dump-view.ts'
import type { RawEntry } from '../../helpers/raw-tar.ts'
import { storeLayers } from '../../helpers/store-layers.ts'

const layers: RawEntry[][] = [
  [
    { path: 'etc/', mode: 0o750 },
    { path: 'etc/hosts', content: 'hosts' },
    { path: 'usr/lib/a', content: 'a' },
    { path: 'usr/lib/b', type: '1', link: 'usr/lib/a' },
    { path: 'lib', link: 'usr/lib' },
  ],
  [
    { path: 'etc/', mode: 0o700 },
    { path: 'lib/c', content: 'c' },
    { path: 'usr/lib/.wh.a', content: '' },
  ],
  [
    { path: './', mode: 0o711 },
    { path: 'etc/.wh..wh..opq', content: '' },
    { path: 'etc/passwd', content: 'root' },
    { path: 'link', type: '1', link: 'usr/lib/b' },
  ],
]

test('a view of more layers reads only their indexes, and leaves the views below as they are', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const views = new UnionViews(store)
  const reads = vi.spyOn(store.derived, 'get')
  const opened = []
  for (const count of [1, 2, 3]) opened.push(await views.open(stored.slice(0, count)))
  expect(reads).toHaveBeenCalledTimes(3)
  for (const [i, view] of opened.entries()) {
    const alone = await openUnionView(store, stored.slice(0, i + 1))
    expect(dumpView(view)).toEqual(dumpView(alone))
    expect([view.entries, view.layers, view.stat('.')]).toEqual([alone.entries, alone.layers, alone.stat('.')])
  }
  expect(await views.open(stored.slice(0, 2))).toBe(opened[1])
})

test('two stacks on the same layers do not see each other', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const views = new UnionViews(store)
  const base = await views.open(stored.slice(0, 1))
  const [left, right] = await Promise.all([views.open([stored[0]!, stored[1]!]), views.open([stored[0]!, stored[2]!])])
  expect([base, left, right].map(view => view.stat('usr/lib/c') !== undefined)).toEqual([false, true, false])
  expect([base, left, right].map(view => view.stat('etc/hosts') !== undefined)).toEqual([true, true, false])
  expect([base, left, right].map(view => view.stat('etc')?.mode)).toEqual([0o750, 0o700, 0o750])
})

test('a view that failed is opened again', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const views = new UnionViews(store)
  const stop = AbortSignal.abort(new Error('stopped'))
  await expect(views.open(stored.slice(0, 1), { signal: stop })).rejects.toThrow('stopped')
  const later = await Promise.all([views.open(stored.slice(0, 1)), views.open(stored)])
  expect(later.map(view => view.layers.length)).toEqual([1, 3])
})
