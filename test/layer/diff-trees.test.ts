import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  diffEntries,
  diffTrees,
  directoryTree,
  fromDirectory,
  readLayerIndex,
  type TreeDiff,
  writeDiffLayer,
  writeLayer,
} from '../../lib/layer/index.ts'
import { openUnionView, unpackLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const nothing: TreeDiff = { added: [], modified: [], metadataOnly: [], deleted: [] }
let place: ReturnType<typeof temporaryDirectory>
let one: string
let two: string
beforeEach(() => {
  place = temporaryDirectory('diff')
  one = join(place.path, 'one')
  two = join(place.path, 'two')
  for (const tree of [one, two]) {
    mkdirSync(join(tree, 'd/e'), { recursive: true })
    writeFileSync(join(tree, 'd/same'), 'same')
    writeFileSync(join(tree, 'd/edit'), 'before')
    writeFileSync(join(tree, 'd/e/deep'), 'deep')
    writeFileSync(join(tree, 'kind'), 'file')
    symlinkSync('d/same', join(tree, 'way'))
    settle(tree)
  }
})
afterEach(() => place[Symbol.dispose]())

/** Gives everything one time, so that only what a test changes is different. */
function settle(tree: string): void {
  for (const path of ['d/same', 'd/edit', 'd/e/deep', 'kind', 'd/e', 'd', '.']) utimesSync(join(tree, path), 1000, 1000)
  lutimesSync(join(tree, 'way'), 1000, 1000)
}

describe('two directories', () => {
  test('that are equal do not differ', async () => {
    expect(await diffTrees(one, two)).toEqual(nothing)
  })

  test('differ by content, also where size and time are the same', async () => {
    writeFileSync(join(two, 'd/edit'), 'behind')
    settle(two)
    expect(await diffTrees(one, two)).toEqual({
      ...nothing,
      modified: [{ path: 'd/edit', type: 'file', fields: ['content'] }],
    })
  })

  test('differ by what is added, deleted, replaced and touched', async () => {
    rmSync(join(two, 'd/e'), { recursive: true })
    rmSync(join(two, 'way'))
    symlinkSync('kind', join(two, 'way'))
    rmSync(join(two, 'kind'))
    mkdirSync(join(two, 'kind/new'), { recursive: true })
    writeFileSync(join(two, 'd/edit'), 'longer than before')
    chmodSync(join(two, 'd/same'), 0o600)
    utimesSync(join(two, 'd/same'), 2000, 2000)
    expect(await diffTrees(one, two, { ignore: ['mtime'] })).toEqual({
      added: [{ path: 'kind/new', type: 'directory' }],
      modified: [
        { path: 'd/edit', type: 'file', fields: ['content'] },
        { path: 'kind', type: 'directory', fields: ['type'] },
        { path: 'way', type: 'symlink', fields: ['linkname'] },
      ],
      metadataOnly: [{ path: 'd/same', type: 'file', fields: ['mode'] }],
      deleted: [{ path: 'd/e', type: 'directory' }],
    })
    const { metadataOnly } = await diffTrees(one, two)
    expect(metadataOnly).toContainEqual({ path: 'd/same', type: 'file', fields: ['mode', 'mtime'] })
  })

  test('hash no file that cannot be equal, and no file of which the digest is known', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, fromDirectory(one, { mtime: 'source', mode: 'source', ...owner(one) }))
    const view = await openUnionView(store, [layer])
    const read = vi.spyOn(store, 'read')
    expect(await diffTrees(view, two)).toEqual(nothing)
    expect(read).not.toHaveBeenCalled()
  })

  test('differ in which names are one file', async () => {
    linkSync(join(two, 'd/same'), join(two, 'd/same2'))
    writeFileSync(join(one, 'd/same2'), 'same')
    for (const tree of [one, two]) utimesSync(join(tree, 'd/same2'), 1000, 1000)
    for (const tree of [one, two]) settle(tree)
    const fields = ['links']
    expect(await diffTrees(one, two)).toEqual({
      ...nothing,
      modified: [
        { path: 'd/same', type: 'file', fields },
        { path: 'd/same2', type: 'file', fields },
      ],
    })
    expect(await diffTrees(two, one)).toEqual({ ...nothing, modified: [{ path: 'd/same2', type: 'file', fields }] })
    expect(await diffTrees(one, two, { ignore: ['links'] })).toEqual(nothing)
  })

  test('that do not exist, or hold a name like a whiteout, are refused', async () => {
    const missing = await thrownBy(() => diffTrees(join(place.path, 'no'), two))
    expect(missing).toMatchObject({ code: 'ERR_SOURCE_NOT_FOUND' })
    expect(await thrownBy(() => diffTrees(one, join(two, 'kind')))).toMatchObject({ code: 'ERR_SOURCE_NOT_FOUND' })
    writeFileSync(join(two, 'd/.wh.x'), '')
    expect(await thrownBy(() => diffTrees(one, two))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('are not looked at after an abort', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await thrownBy(() => diffTrees(one, two, { signal }))).toBe(signal.reason)
    const trees = [directoryTree(one), directoryTree(two)] as const
    expect(await thrownBy(() => diffTrees(...trees, { signal }))).toBe(signal.reason)
  })
})

function owner(path: string): { uid: number; gid: number } {
  const { uid, gid } = statSync(path)
  return { uid, gid }
}

describe('a layer of a difference', () => {
  test('holds whiteouts, changes and the directories above them, nothing else', async () => {
    writeFileSync(join(two, 'd/e/new'), 'new')
    rmSync(join(two, 'd/edit'))
    settleDirectories(two)
    await using store = createMemoryStore()
    const diff = await diffTrees(one, two)
    const layer = await writeDiffLayer(store, diff, two, { compression: 'none' })
    const paths = async (diffLayer: typeof layer) => (await readLayerIndex(store, diffLayer)).entries.map(e => e.path)
    expect(await paths(layer)).toEqual(['d/.wh.edit', 'd', 'd/e', 'd/e/new'])
    const bare = await writeDiffLayer(store, diff, two, { parents: false })
    expect(await paths(bare)).toEqual(['d/.wh.edit', 'd/e/new'])
    expect((await writeDiffLayer(store, diff, two, { compression: 'none' })).diffId).toBe(layer.diffId)
  })

  test('makes the upper directory, unpacked on top of the lower one', async () => {
    rmSync(join(two, 'd/e'), { recursive: true })
    rmSync(join(two, 'way'))
    mkdirSync(join(two, 'way'))
    writeFileSync(join(two, 'way/inside'), 'x')
    writeFileSync(join(two, 'd/edit'), 'behind')
    linkSync(join(two, 'd/edit'), join(two, 'kind2'))
    chmodSync(join(two, 'kind'), 0o711)
    await using store = createMemoryStore()
    const lower = await writeLayer(store, fromDirectory(one, { mtime: 'source', mode: 'source', ...owner(one) }))
    const view = await openUnionView(store, [lower])
    const diff = await diffTrees(view, two)
    const upper = await writeDiffLayer(store, diff, two)
    const made = await openUnionView(store, [lower, upper])
    expect(await diffTrees(made, two)).toEqual(nothing)
    const target = join(place.path, 'unpacked')
    await unpackLayers(store, [lower, upper], target, { writer: 'inline' })
    expect(await diffTrees(target, two)).toEqual(nothing)
    expect(await diffTrees(two, made)).toEqual(nothing)
  })

  test('deletes a file whose name is as long as a name may be', async () => {
    await using store = createMemoryStore()
    writeFileSync(join(one, 'n'.repeat(255)), 'x')
    const low = await writeLayer(store, fromDirectory(one))
    const view = await openUnionView(store, [low])
    rmSync(join(one, 'n'.repeat(255)))
    const up = await writeDiffLayer(store, await diffTrees(view, one), one)
    expect((await openUnionView(store, [low, up])).stat('n'.repeat(255))).toBeUndefined()
    await unpackLayers(store, [low, up], join(place.path, 'out'), { writer: 'inline' })
    expect(readdirSync(join(place.path, 'out')).sort()).toEqual(readdirSync(one).sort())
  })

  test('is not made of a directory that has changed since', async () => {
    writeFileSync(join(two, 'd/new'), 'new')
    const diff = await diffTrees(one, two)
    await using store = createMemoryStore()
    const entries: TarInput[] = []
    for await (const entry of diffEntries(diff, two)) entries.push(entry)
    writeFileSync(join(two, 'd/new'), 'longer')
    expect(await thrownBy(() => writeLayer(store, entries))).toMatchObject({ code: 'ERR_SOURCE_CHANGED' })
  })
})

function settleDirectories(tree: string): void {
  for (const path of ['d/e', 'd', '.']) utimesSync(join(tree, path), 1000, 1000)
}

test('views differ by extended attributes, devices and owners', async () => {
  await using store = createMemoryStore()
  const view = async (xattr: string, devMinor: number, uid: number) => {
    const layer = await writeLayer(store, [
      { path: 'a', type: 'file', content: 'x', xattrs: new Map([['user.a', Buffer.from(xattr)]]) },
      { path: 'b', type: 'file', xattrs: new Map([['user.b', Buffer.from('b')]]) },
      { path: 'dev', type: 'character-device', devMajor: 1, devMinor },
      { path: 'own', type: 'fifo', uid, gid: uid },
      ...(uid === 0 ? [{ path: 'bare', type: 'file' } as const] : []),
      ...(uid > 0 ? [{ path: 'bare', type: 'file', xattrs: new Map([['user.c', Buffer.from('')]]) } as const] : []),
    ])
    return openUnionView(store, [layer])
  }
  expect(await diffTrees(await view('1', 1, 0), await view('1', 1, 0))).toEqual(nothing)
  expect(await diffTrees(await view('1', 1, 0), await view('2', 3, 5))).toEqual({
    ...nothing,
    modified: [{ path: 'dev', type: 'character-device', fields: ['device'] }],
    metadataOnly: [
      { path: 'a', type: 'file', fields: ['xattrs'] },
      { path: 'bare', type: 'file', fields: ['xattrs'] },
      { path: 'own', type: 'fifo', fields: ['uid', 'gid'] },
    ],
  })
})

test('an upper view is opened once for each of its layers, however many files changed', async () => {
  await using store = createMemoryStore()
  const files = Array.from({ length: 50 }, (_, i) => ({ path: `f${i}`, type: 'file', content: `${i}` }) as const)
  const layer = await writeLayer(store, files)
  const upper = await openUnionView(store, [layer])
  const diff = await diffTrees(await openUnionView(store, []), upper)
  const read = vi.spyOn(store, 'read')
  await writeDiffLayer(store, diff, upper)
  expect(read).toHaveBeenCalledTimes(1)
})
