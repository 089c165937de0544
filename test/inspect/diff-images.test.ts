import { beforeEach, describe, expect, test } from 'vitest'
import { composeImage, type Image } from '../../lib/image/index.ts'
import { diffImages, type ImageDiff } from '../../lib/inspect/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import type { RunConfig } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})

const file = (path: string, content: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'file',
  content,
  ...more,
})
const dir = (path: string, more: Partial<TarInput> = {}): TarInput => ({ path, type: 'directory', ...more })

async function imageOf(layers: readonly (readonly TarInput[])[], config?: RunConfig): Promise<Image> {
  const written = []
  for (const entries of layers) written.push(await writeLayer(store, [...entries]))
  return composeImage(store, { layers: written, ...(config && { config }) })
}

async function diffOf(before: readonly TarInput[][], after: readonly TarInput[][]): Promise<ImageDiff> {
  return diffImages({ store, image: await imageOf(before) }, { store, image: await imageOf(after) })
}

const paths = (list: readonly { path: string }[] = []) => list.map(({ path }) => path)

/** Lists of `container-diff --type=file`: paths of one image only, and paths with another content. */
function asContainerDiff({ files }: ImageDiff) {
  const { added, removed, changed, moved } = files!
  return {
    Adds: [...paths(added), ...paths(moved)].sort(),
    Dels: [...paths(removed), ...moved.map(({ from }) => from)].sort(),
    Mods: paths(changed),
  }
}

describe('files', () => {
  test('are added, removed, changed, moved or changed in metadata only, and in one list only', async () => {
    const { files, equal } = await diffOf(
      [
        [
          dir('a'),
          file('a/same', 's'),
          file('a/edit', 'one'),
          file('a/mode', 'm'),
          file('a/old', 'moved'),
          file('gone', 'g'),
        ],
      ],
      [
        [
          dir('a'),
          file('a/same', 's'),
          file('a/edit', 'three'),
          file('a/mode', 'm', { mode: 0o600, uid: 7 }),
          file('b/new', 'moved'),
          file('more', 'mm'),
        ],
      ],
    )
    expect(equal).toBe(false)
    expect(files).toEqual({
      added: [
        { path: 'b', type: 'directory', size: 0, layer: -1 },
        { path: 'more', type: 'file', size: 2, layer: 0 },
      ],
      removed: [{ path: 'gone', type: 'file', size: 1, layer: 0 }],
      changed: [{ path: 'a/edit', type: 'file', size: 5, sizeBefore: 3, layer: 0, fields: ['content'] }],
      metadataOnly: [{ path: 'a/mode', type: 'file', size: 1, sizeBefore: 1, layer: 0, fields: ['mode', 'uid'] }],
      moved: [{ path: 'b/new', from: 'a/old', type: 'file', size: 5, layer: 0, fields: [] }],
      bytesBefore: 11,
      bytesAfter: 14,
    })
  })

  test('below a removed directory, and below one that a file replaces, are listed one by one', async () => {
    const diff = await diffOf(
      [[dir('d'), dir('d/e'), file('d/e/f', '1'), dir('r'), file('r/x', '22')]],
      [[file('r', 'file')]],
    )
    expect(paths(diff.files!.removed)).toEqual(['d', 'd/e', 'd/e/f', 'r/x'])
    expect(diff.files!.changed).toMatchObject([{ path: 'r', type: 'file', fields: ['type'] }])
  })

  test('are those of the stacked layers: what an upper layer hides is not there', async () => {
    const { files } = await diffOf(
      [[file('a', '1'), file('b', '2')]],
      [
        [file('a', '1'), file('b', '2')],
        [{ path: '.wh.a', type: 'file' }, file('b', '2', { mtime: 60 })],
      ],
    )
    expect(files).toMatchObject({ added: [], changed: [], moved: [] })
    expect(files!.removed).toMatchObject([{ path: 'a' }])
    expect(files!.metadataOnly).toMatchObject([{ path: 'b', layer: 1, fields: ['mtime'] }])
  })

  test('move to the path of the same name first, and every file moves once', async () => {
    const { files } = await diffOf(
      [[file('x/one', 'same'), file('x/two', 'same'), file('empty', '')]],
      [[file('y/zero', 'same'), file('y/two', 'same'), file('y/three', 'same'), file('other-empty', '')]],
    )
    expect(files!.moved.map(({ from, path }) => [from, path])).toEqual([
      ['x/one', 'y/three'],
      ['x/two', 'y/two'],
    ])
    expect(paths(files!.added)).toEqual(['other-empty', 'y', 'y/zero'])
    expect(paths(files!.removed)).toEqual(['empty', 'x'])
  })

  test('that were hard links and are files of their own changed in metadata only', async () => {
    const { files } = await diffOf(
      [[file('a', 'x'), { path: 'b', type: 'hardlink', linkname: 'a' }]],
      [[file('a', 'x'), file('b', 'x')]],
    )
    expect(files!.metadataOnly).toMatchObject([{ path: 'b', type: 'file', size: 1, fields: ['links'] }])
    expect(files!.changed).toEqual([])
  })

  test('are compared without times if times are ignored', async () => {
    const [one, two] = [await imageOf([[file('a', 'x')]]), await imageOf([[file('a', 'x', { mtime: 99 })]])]
    const { files } = await diffImages({ store, image: one }, { store, image: two }, { ignore: ['mtime'] })
    expect(files!.metadataOnly).toEqual([])
  })
})

describe('the lists of container-diff', () => {
  test.each<[string, TarInput[][], TarInput[][], ReturnType<typeof asContainerDiff>]>([
    ['of equal images are empty', [[file('a', '1')]], [[file('a', '1')]], { Adds: [], Dels: [], Mods: [] }],
    ['have moved files in both', [[file('a', '1')]], [[file('b', '1')]], { Adds: ['b'], Dels: ['a'], Mods: [] }],
    [
      'have no file whose mode, owner or time alone differs',
      [[file('a', '1'), dir('d')]],
      [[file('a', '1', { mode: 0o600, uid: 1, mtime: 5 }), dir('d', { mode: 0o700 })]],
      { Adds: [], Dels: [], Mods: [] },
    ],
    [
      'have a file of the same size and another content, and a link with another target',
      [[file('a', '1'), { path: 'l', type: 'symlink', linkname: 'a' }]],
      [[file('a', '2'), { path: 'l', type: 'symlink', linkname: 'b' }]],
      { Adds: [], Dels: [], Mods: ['a', 'l'] },
    ],
    [
      'have each file of a directory that came or went',
      [[dir('old'), file('old/a', '1')]],
      [[dir('new'), file('new/b', '2')]],
      { Adds: ['new', 'new/b'], Dels: ['old', 'old/a'], Mods: [] },
    ],
  ])('%s', async (_, before, after, lists) => {
    expect(asContainerDiff(await diffOf(before, after))).toEqual(lists)
  })
})

test('layers are compared by diffID: shared ones at the bottom, added, removed, reordered', async () => {
  const [a, b, c] = [[file('a', '1')], [file('b', '2')], [file('c', '3')]]
  const [one, two] = [await imageOf([a, b]), await imageOf([a, c, c])]
  const { layers } = await diffImages({ store, image: one }, { store, image: two }, { files: false })
  expect(layers.shared).toBe(1)
  expect(layers.removed).toEqual([{ index: 1, createdBy: expect.any(String), ...one.layers[1] }])
  expect(layers.added.map(({ index }) => index)).toEqual([1, 2])
  const swapped = await imageOf([b, a])
  const other = await diffImages({ store, image: one }, { store, image: swapped }, { files: false })
  expect(other).toMatchObject({ equal: false, layers: { shared: 0, removed: [], added: [], reordered: true } })
  expect(other).not.toHaveProperty('files')
})

test('configs are compared variable by variable and label by label; what is empty counts as absent', async () => {
  const before = await imageOf([], { Env: ['A=1', 'B=2', 'C'], Labels: { x: '1' }, Cmd: ['sh'], User: '' })
  const after = await imageOf([], { Env: ['B=3', 'A=1', 'D=4'], Labels: { x: '1', y: '2' }, Cmd: ['bash'] })
  const { config, equal } = await diffImages({ store, image: before }, { store, image: after })
  expect(equal).toBe(false)
  expect(config.filter(({ member }) => member !== 'annotations')).toEqual([
    { member: 'Cmd', before: ['sh'], after: ['bash'] },
    { member: 'Env', name: 'B', before: '2', after: '3' },
    { member: 'Env', name: 'C', before: '' },
    { member: 'Env', name: 'D', after: '4' },
    { member: 'Labels', name: 'y', after: '2' },
  ])
})

test('images of two stores are compared; equal content in other layers differs in layers only', async () => {
  const other = createMemoryStore()
  const one = await imageOf([[file('a', '1'), file('b', '2')]])
  const layers = [await writeLayer(other, [file('a', '1')]), await writeLayer(other, [file('b', '2')])]
  const two = await composeImage(other, { layers })
  const diff = await diffImages({ store, image: one }, { store: other, image: two.descriptor })
  expect(diff).toMatchObject({ before: one.descriptor.digest, after: two.descriptor.digest, equal: false, config: [] })
  expect(asContainerDiff(diff)).toEqual({ Adds: [], Dels: [], Mods: [] })
  expect((await diffImages({ store, image: one }, { store, image: one })).equal).toBe(true)
})
