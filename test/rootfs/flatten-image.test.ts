import { expect, test, vi } from 'vitest'
import { readLayer, readLayerIndex, writeLayer } from '../../lib/layer/index.ts'
import { keepIndex } from '../../lib/layer/indexing/keep-index.ts'
import { flattenImage, openUnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { dumpView } from '../helpers/dump-view.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const layers = [
  [
    { path: './', mode: 0o711, mtime: 9 },
    { path: 'z', content: 'hidden' },
    { path: 'd/', mode: 0o700 },
    { path: 'd/b', content: 'low b' },
    { path: 'd/a', content: 'low a' },
  ],
  [{ path: 'z', content: 'hidden too' }],
  [
    { path: 'z', content: 'top' },
    { path: 'a', type: '1', link: 'd/b' },
    { path: 'implied/empty' },
    { path: 'way', link: 'd' },
    { path: '.wh.nothing' },
  ],
]

test('files come layer by layer, after entries without content and before hard links', async () => {
  await using store = createMemoryStore()
  const view = await openUnionView(store, await storeLayers(store, layers))
  const order: string[] = []
  for await (const { path, type } of flattenImage(view)) order.push(`${type} ${path}`)
  expect(order).toEqual([
    'directory .',
    'directory d',
    'directory implied',
    'file implied/empty',
    'symlink way',
    'file a',
    'file d/a',
    'file z',
    'hardlink d/b',
  ])
})

test('the same layers give the same tar, which gives the same view and keeps the root', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const view = await openUnionView(store, stored)
  const flat = await writeLayer(store, flattenImage(view))
  await using other = createMemoryStore()
  const again = await writeLayer(other, flattenImage(await openUnionView(other, await storeLayers(other, layers))))
  expect(again.diffId).toBe(flat.diffId)
  const shown = await openUnionView(store, [flat])
  expect(dumpView(shown)).toEqual(dumpView(view))
  expect(shown.stat('.')).toMatchObject({ mode: 0o711, mtime: 9, implicit: false })
})

test('each layer is opened once, and a layer without visible files is not opened', async () => {
  await using store = createMemoryStore()
  const stored = await storeLayers(store, layers)
  const view = await openUnionView(store, stored)
  const read = vi.spyOn(store, 'read')
  for await (const _ of flattenImage(view));
  expect(read.mock.calls.map(([digest]) => digest)).toEqual([stored[0]!.diffId, stored[2]!.diffId])
})

test('leaving the loop and an abort stop reading the layer', async () => {
  await using store = createMemoryStore()
  const view = await openUnionView(store, await storeLayers(store, layers))
  for await (const { type } of flattenImage(view)) if (type === 'file') break
  const controller = new AbortController()
  const reason = new Error('enough')
  const error = await thrownBy(async () => {
    for await (const { path } of flattenImage(view, { signal: controller.signal })) {
      if (path === 'way') controller.abort(reason)
    }
  })
  expect(error).toBe(reason)
})

test('an index that does not match its layer is detected', async () => {
  await using store = createMemoryStore()
  const [layer] = await storeLayers(store, [[{ path: 'a', content: 'x' }]])
  const index = await readLayerIndex(store, layer!)
  await keepIndex(store.derived, { ...index, entries: [{ ...index.entries[0]!, offset: 4096 }] }, {})
  const view = await openUnionView(store, [layer!])
  const error = await thrownBy(async () => {
    for await (const _ of flattenImage(view));
  })
  expect(error).toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH' })
})

test('unread content is skipped, and read content is right', async () => {
  await using store = createMemoryStore()
  const view = await openUnionView(store, await storeLayers(store, layers))
  const flat = await writeLayer(store, flattenImage(view), { compression: 'none' })
  const contents: Record<string, string> = {}
  for await (const { path, content, type } of readLayer(store, flat.descriptor, { diffId: flat.diffId })) {
    let text = ''
    if (path !== 'd/a') for await (const chunk of content) text += Buffer.from(chunk).toString()
    if (type === 'file') contents[path] = text
  }
  expect(contents).toEqual({ 'implied/empty': '', a: 'low b', 'd/a': '', z: 'top' })
})
