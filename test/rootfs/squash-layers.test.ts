import { expect, test } from 'vitest'
import { readLayerIndex } from '../../lib/layer/index.ts'
import { openUnionView, squashLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { dumpView } from '../helpers/dump-view.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const layers: RawEntry[][] = [
  [{ path: 'base/' }, { path: 'base/a', content: 'a' }, { path: 'base/b', content: 'b' }, { path: 'c', content: 'c' }],
  [{ path: 'tmp/' }, { path: 'tmp/large', content: 'x'.repeat(9999) }, { path: 'base/.wh.a' }],
  [{ path: '.wh.tmp' }, { path: 'new', content: 'n' }, { path: 'base/.wh..wh..opq' }],
  [{ path: 'base/c', content: 'top' }, { path: '.wh.c' }],
]

const pathsOf = async (store: Store, layer: Parameters<typeof readLayerIndex>[1]) =>
  (await readLayerIndex(store, layer)).entries.map(({ path }) => path)

test('a path that one layer adds and the next deletes is omitted; whiteouts of lower layers stay', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const { layers: squashed, written } = await squashLayers(store, stored, { layers: { from: 1, to: 2 } })
  expect(await pathsOf(store, written[0]!)).toEqual(['base/.wh.a', 'base/.wh.b', 'new'])
  expect(squashed).toEqual([stored[0], { descriptor: written[0]!.descriptor, diffId: written[0]!.diffId }, stored[3]])
  expect(dumpView(await openUnionView(store, squashed))).toEqual(dumpView(await openUnionView(store, stored)))
})

test('without a selection all layers become one, without whiteouts', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const { layers: squashed, written } = await squashLayers(store, stored)
  expect(squashed).toHaveLength(1)
  expect(await pathsOf(store, written[0]!)).toEqual(['base', 'new', 'base/c'])
})

test('each run of adjacent layers in a list becomes one layer', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, [...layers, [{ path: 'e' }]])
  const result = await squashLayers(store, stored, { layers: [4, 0, 3, 1], compression: 'none' })
  expect(result.written).toHaveLength(2)
  expect(result.layers).toHaveLength(3)
  expect(result.layers[1]).toEqual(stored[2])
  expect(dumpView(await openUnionView(store, result.layers))).toEqual(dumpView(await openUnionView(store, stored)))
})

test('a hard link to a file of a lower layer stays a link; if the lower name is deleted, the file is copied', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, [
    [
      { path: 'stays', content: 's' },
      { path: 'goes', content: 'gone' },
    ],
    [
      { path: 'one', type: '1', link: 'stays' },
      { path: 'two', type: '1', link: 'goes' },
      { path: 'three', type: '1', link: 'goes' },
    ],
    [{ path: '.wh.goes' }],
  ])
  const { layers: squashed, written } = await squashLayers(store, stored, { layers: [1, 2] })
  const { entries } = await readLayerIndex(store, written[0]!)
  expect(entries.map(({ path, type, linkname, size }) => [path, type, linkname ?? size])).toEqual([
    ['.wh.goes', 'file', 0],
    ['three', 'file', 4],
    ['one', 'hardlink', 'stays'],
    ['two', 'hardlink', 'three'],
  ])
  expect(dumpView(await openUnionView(store, squashed))).toEqual(dumpView(await openUnionView(store, stored)))
})

test('squashing again gives the same layer', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const one = await squashLayers(store, stored, { layers: { from: 1, to: 3 } })
  const other = await squashLayers(store, stored, { layers: [3, 2, 1] })
  expect(other.layers).toEqual(one.layers)
})

test('a root that a squashed layer changes is kept', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, [[{ path: 'a' }], [{ path: './', mode: 0o700 }], [{ path: 'b' }]])
  const { layers: squashed } = await squashLayers(store, stored, { layers: { from: 1, to: 2 } })
  expect((await openUnionView(store, squashed)).stat('.')).toMatchObject({ mode: 0o700 })
})

test.each([
  [{ from: 0, to: 4 }],
  [{ from: -1, to: 1 }],
  [{ from: 2, to: 1 }],
  [{ from: 0, to: Number.POSITIVE_INFINITY }],
  [{ from: 0, to: 1e9 }],
  [[1.5]],
  [[]],
])('there are no layers %j', async chosen => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const error = await thrownBy(() => squashLayers(store, stored, { layers: chosen }))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})
