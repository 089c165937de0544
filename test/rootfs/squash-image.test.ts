import { expect, test } from 'vitest'
import { readImage } from '../../lib/image/index.ts'
import { openUnionView, squashImage } from '../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'

const LAYERS = [{ a: '1', b: '1' }, { '.wh.a': '', b: '2' }, { c: '3' }]

async function treeOf(store: Store, image: Parameters<typeof openUnionView>[1]): Promise<unknown> {
  const view = await openUnionView(store, image)
  return [...view.walk()].map(({ path, size }) => [path, size])
}

test('all layers become one, the files stay, and the history names the steps without a layer', async () => {
  const store = createMemoryStore()
  const image = await sampleImage(store, LAYERS, { config: { Cmd: ['app'] } })
  const flat = await squashImage(store, image)
  expect(flat.layers).toHaveLength(1)
  expect(await treeOf(store, flat)).toEqual(await treeOf(store, image))
  expect(flat.config.config).toEqual({ Cmd: ['app'] })
  expect(
    flat.config.history?.map(({ created_by, empty_layer, comment }) => [created_by, empty_layer, comment]),
  ).toEqual([
    ['layerstore', true, undefined],
    ['layerstore', true, undefined],
    ['layerstore', true, undefined],
    ['layerstore squash', undefined, '3 layers squashed'],
  ])
  expect(await readImage(store, flat.descriptor)).toEqual(flat)
})

test('some layers become one, and those below and above stay with their steps', async () => {
  const store = createMemoryStore()
  const image = await sampleImage(store, [...LAYERS, { d: '4' }])
  const squashed = await squashImage(store, image, { layers: { from: 1, to: 2 }, created: '2026-01-02T00:00:00Z' })
  expect(squashed.layers.map(({ diffId }) => diffId)).toEqual([
    image.layers[0]!.diffId,
    expect.any(String),
    image.layers[3]!.diffId,
  ])
  expect(await treeOf(store, squashed)).toEqual(await treeOf(store, image))
  expect(squashed.config.history?.map(({ empty_layer }) => empty_layer ?? false)).toEqual([
    false,
    true,
    true,
    false,
    false,
  ])
  expect(squashed.config.history?.[3]).toMatchObject({ created: '2026-01-02T00:00:00Z', comment: '2 layers squashed' })
})

test('a history that does not describe the layers is left out', async () => {
  const store = createMemoryStore()
  const image = await sampleImage(store, LAYERS)
  const untold = { ...image, config: { ...image.config, history: [{ created_by: 'all' }] } }
  expect((await squashImage(store, untold)).config).not.toHaveProperty('history')
})
