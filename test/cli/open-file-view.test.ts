import { expect, test } from 'vitest'
import { openFileView } from '../../lib/cli/reading/open-file-view.ts'
import type { Image } from '../../lib/image/index.ts'
import { openUnionView, type UnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { RawEntry } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { storeLayers } from '../helpers/store-layers.ts'

const file = (path: string, content: string): RawEntry => ({ path, content })
const directory = (path: string): RawEntry => ({ path: `${path}/` })
const link = (path: string, target: string): RawEntry => ({ path, link: target })

/** Layers from the lowest on: links to directories, hidden files, directories without entries, hard links. */
const LAYERS: readonly (readonly RawEntry[])[] = [
  [
    directory('q'),
    file('q/f', 'q0'),
    link('a', 'q'),
    directory('d'),
    file('d/x', 'd0'),
    file('low', 'low'),
    file('gone', 'g'),
  ],
  [file('a/f', 'through a'), file('d/y', 'd1'), file('d/.wh.x', ''), directory('e'), file('e/z', 'e1')],
  [directory('e'), file('e/.wh..wh..opq', ''), file('e/w', 'e2'), link('l', 'd/y'), file('.wh.gone', '')],
  [directory('top'), file('top/f', 'top'), link('top/l', '../a/f'), directory('d'), file('d/y', 'd3')],
]
const PATHS = [
  'q/f',
  'a/f',
  'd/x',
  'd/y',
  'low',
  'gone',
  'e/z',
  'e/w',
  'l',
  'top/f',
  'top/l',
  '/top/./f',
  'top/../low',
  'none',
  'top',
]

test('a file reads the same through the layers that decide it and through all of them', async () => {
  const store = createMemoryStore()
  const layers = await storeLayers(store, LAYERS)
  const whole = await openUnionView(store, layers)
  const read = async (view: UnionView, path: string) => {
    try {
      return (await readAll(view.read(path))).toString()
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const found: Record<string, number> = {}
  for (const path of PATHS) {
    const view = await openFileView(store, { layers } as unknown as Image, path, {})
    expect([path, await read(view, path)]).toEqual([path, await read(whole, path)])
    found[path] = view.layers.length
  }
  expect(found).toMatchObject({ 'top/f': 1, 'd/y': 1, 'e/w': 2, low: 4, 'a/f': 4 })
})
