import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { composeImage } from '../../../lib/image/index.ts'
import { writeLayer } from '../../../lib/layer/index.ts'
import { type UnpackReport, unpackImage, unpackLayers } from '../../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import type { TarInput } from '../../../lib/tar/index.ts'
import { listTree } from '../../helpers/list-tree.ts'
import { needsRoot } from '../../helpers/needs-root.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const isRoot = process.geteuid?.() === 0
const inline = { writer: 'inline' } as const

let place: ReturnType<typeof temporaryDirectory>
let store: Store
let target: string
beforeEach(() => {
  place = temporaryDirectory('unpack-image')
  store = createMemoryStore()
  target = join(place.path, 'rootfs')
})
afterEach(() => place[Symbol.dispose]())

async function imageOf(...layers: TarInput[][]) {
  const written = []
  for (const entries of layers) written.push(await writeLayer(store, entries))
  const image = await composeImage(store, { layers: written })
  await store.references.set('app:1', image.descriptor)
  return image
}

/** Skipped details, without owners, which only root can apply. */
const notOwners = ({ skipped }: UnpackReport) => skipped.filter(({ what }) => isRoot || what !== 'owner')

const paths = () => listTree(target).map(entry => entry.path)

test('an image is written by name, layer upon layer, whiteouts applied', async () => {
  await imageOf(
    [
      { path: 'etc', type: 'directory' },
      { path: 'etc/a', type: 'file', content: 'one' },
      { path: 'etc/b', type: 'file', content: 'old' },
      { path: 'tmp', type: 'directory' },
      { path: 'tmp/x/y', type: 'file', content: '' },
    ],
    [
      { path: 'etc/.wh.a', type: 'file' },
      { path: 'etc/b', type: 'file', content: 'new' },
      { path: 'tmp/.wh..wh..opq', type: 'file' },
      { path: 'tmp/z', type: 'symlink', linkname: '../etc/b' },
    ],
  )
  const report = await unpackImage(store, 'app:1', target, inline)
  expect(paths()).toEqual(['etc', 'etc/b', 'tmp', 'tmp/z'])
  expect(readFileSync(join(target, 'tmp/z'), 'utf8')).toBe('new')
  expect(report).toMatchObject({ files: 4, directories: 3, links: 1, devices: 0, bytes: 9 })
  expect(notOwners(report)).toEqual([])
})

test('a worker writes the same tree as the calling thread, and ends afterwards', async () => {
  const image = await imageOf([
    { path: 'd', type: 'directory', mode: 0o555, mtime: 10 },
    { path: 'd/f', type: 'file', content: 'x'.repeat(3_000_000), mtime: 20 },
    { path: 'g', type: 'hardlink', linkname: 'd/f' },
  ])
  const before = process.getActiveResourcesInfo().filter(name => name === 'MessagePort').length
  const report = await unpackImage(store, image, target)
  expect(process.getActiveResourcesInfo().filter(name => name === 'MessagePort').length).toBe(before)
  const other = join(place.path, 'other')
  expect(await unpackImage(store, image, other, inline)).toEqual(report)
  expect(listTree(other)).toEqual(listTree(target))
  expect(listTree(target).map(({ path, mode, mtime, sameAs }) => [path, mode, mtime, sameAs])).toEqual([
    ['d', '555', 10, undefined],
    ['d/f', '644', 20, undefined],
    ['g', '644', 20, 'd/f'],
  ])
})

test('a failure in the worker is the same error as in the calling thread', async () => {
  const image = await imageOf([{ path: 'h', type: 'hardlink', linkname: 'missing' }])
  for (const options of [{}, inline]) {
    const error = await thrownBy(() => unpackImage(store, image, target, options))
    expect(error).toMatchObject({ name: 'RootfsError', code: 'ERR_INVALID_LINK', path: 'h' })
    expect(error.message).toContain('a hard link to something that is not there: "h" in layer sha256:')
  }
  expect(readdirSync(place.path)).toEqual([])
})

test('thousands of small files and files larger than a batch arrive complete and in order', async () => {
  const many: TarInput[] = Array.from({ length: 1500 }, (_, i) => ({
    path: `d${i % 40}/f${i}`,
    type: 'file',
    content: `${i}`.repeat(i % 100),
  }))
  const large = Buffer.alloc(5_000_001, 'abcdefg')
  const report = await unpackImage(
    store,
    await imageOf([{ path: 'large', type: 'file', content: large }, ...many]),
    target,
    inline,
  )
  expect(report).toMatchObject({ files: 1501, directories: 40 })
  expect(readFileSync(join(target, 'large')).equals(large)).toBe(true)
  for (const { path, content } of many) expect(readFileSync(join(target, path), 'utf8')).toBe(content)
})

test('progress reports the layer and never decreases', async () => {
  const image = await imageOf(
    [{ path: 'a', type: 'file', content: Buffer.alloc(3 << 20) }],
    [{ path: 'b', type: 'file', content: 'b' }],
  )
  const seen: { bytes: number; layer: number; layers: number }[] = []
  await unpackImage(store, image, target, { ...inline, onProgress: progress => seen.push(progress) })
  expect(seen.length).toBeGreaterThanOrEqual(4)
  expect(seen.map(({ bytes }) => bytes)).toEqual(seen.map(({ bytes }) => bytes).sort((a, b) => a - b))
  expect(seen.at(0)).toMatchObject({ layer: 0, layers: 2 })
  expect(seen.at(-1)).toMatchObject({ layer: 1, layers: 2, bytes: (3 << 20) + 1, files: 2 })
})

test('an empty list of layers gives an empty directory', async () => {
  await unpackLayers(store, [], join(target, 'below/it'), inline)
  expect(listTree(target).map(({ path, mode }) => [path, mode])).toEqual([
    ['below', expect.any(String)],
    ['below/it', '755'],
  ])
})

test('the root gets the mode and time of its entry', async () => {
  await imageOf([
    { path: '.', type: 'directory', mode: 0o711, mtime: 77 },
    { path: 'a', type: 'file' },
  ])
  await unpackImage(store, 'app:1', target, inline)
  expect([statSync(target).mode & 0o7777, statSync(target).mtimeMs]).toEqual([0o711, 77_000])
})

test('an empty target keeps its inode, and a link to an empty directory is followed', async () => {
  await imageOf([
    { path: '.', type: 'directory', mode: 0o555, mtime: 77 },
    { path: 'a', type: 'directory', mode: 0o500, mtime: 78 },
    { path: 'a/b', type: 'file', content: 'b' },
  ])
  mkdirSync(target)
  const inode = statSync(target).ino
  symlinkSync(target, join(place.path, 'link'))
  await unpackImage(store, 'app:1', join(place.path, 'link'), inline)
  expect(statSync(target).ino).toBe(inode)
  expect(listTree(target).map(({ path, mode }) => [path, mode])).toEqual([
    ['a', '500'],
    ['a/b', '644'],
  ])
  expect([statSync(target).mode & 0o7777, statSync(target).mtimeMs]).toEqual([0o555, 77_000])
  expect(statSync(join(target, 'a')).mtimeMs).toBe(78_000)
})

test('a non-empty directory and a file are rejected as target before anything is written', async () => {
  await imageOf([{ path: 'a', type: 'file' }])
  mkdirSync(target)
  writeFileSync(join(target, 'mine'), '')
  expect(await thrownBy(() => unpackImage(store, 'app:1', target, inline))).toMatchObject({
    code: 'ERR_TARGET_NOT_EMPTY',
  })
  const onFile = await thrownBy(() => unpackImage(store, 'app:1', join(target, 'mine'), inline))
  expect(onFile).toMatchObject({ code: 'ERR_TARGET_NOT_EMPTY' })
  const belowFile = await thrownBy(() => unpackImage(store, 'app:1', join(target, 'mine/x'), inline))
  expect(belowFile).toMatchObject({ code: 'ERR_UNPACK' })
  expect(paths()).toEqual(['mine'])
})

test('with overwrite existing paths stay, unless an entry replaces them or a whiteout removes them', async () => {
  await imageOf([
    { path: 'a', type: 'file', content: 'new' },
    { path: 'd/.wh.gone', type: 'file' },
    { path: 'd/e', type: 'directory', mode: 0o700 },
    { path: 'l', type: 'file', content: 'no link' },
  ])
  mkdirSync(join(target, 'd/e'), { recursive: true })
  for (const file of ['a', 'keep', 'd/gone', 'd/e/keep']) writeFileSync(join(target, file), 'old')
  symlinkSync('/etc/hostname', join(target, 'l'))
  const left: string[] = []
  const report = await unpackImage(store, 'app:1', target, {
    ...inline,
    overwrite: true,
    onLeft: names => left.push(...names),
  })
  expect(paths()).toEqual(['a', 'd', 'd/e', 'd/e/keep', 'keep', 'l'])
  expect([readFileSync(join(target, 'a'), 'utf8'), lstatSync(join(target, 'l')).isFile()]).toEqual(['new', true])
  expect({ left, skipped: notOwners(report) }).toEqual({ left: [], skipped: [] })
})

test('a failure with overwrite reports exactly the written paths', async () => {
  const image = await imageOf([
    { path: 'a', type: 'file', content: 'new' },
    { path: 'd/b', type: 'symlink', linkname: 'x' },
    { path: 'h', type: 'hardlink', linkname: 'missing' },
  ])
  mkdirSync(target)
  writeFileSync(join(target, 'mine'), '')
  const left: string[] = []
  const options = { ...inline, overwrite: true, onLeft: (names: readonly string[]) => left.push(...names) }
  expect(await thrownBy(() => unpackImage(store, image, target, options))).toMatchObject({ code: 'ERR_INVALID_LINK' })
  expect(left).toEqual(['a', 'd', 'd/b'])
  expect(paths()).toEqual(['a', 'd', 'd/b', 'mine'])
})

test('a layer with a wrong diffID leaves nothing, not even created parent directories', async () => {
  const { layers } = await imageOf([{ path: 'a', type: 'file', content: 'a' }])
  const other = await imageOf([{ path: 'a', type: 'file', content: 'b' }])
  const wrong = [{ descriptor: layers[0]!.descriptor, diffId: other.layers[0]!.diffId }]
  const error = await thrownBy(() => unpackLayers(store, wrong, join(place.path, 'x/y/z'), inline))
  expect(error).toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH' })
  expect(readdirSync(place.path)).toEqual([])
})

test('a failure leaves an empty target empty', async () => {
  const { layers } = await imageOf([{ path: 'a', type: 'file', content: 'a' }])
  mkdirSync(target)
  const wrong = [{ ...layers[0]!, diffId: layers[0]!.descriptor.digest }]
  expect(await thrownBy(() => unpackLayers(store, wrong, target, inline))).toMatchObject({
    code: expect.stringMatching(/^ERR_/),
  })
  expect(readdirSync(target)).toEqual([])
})

test.each(['thread', 'inline'] as const)(
  'an aborted call (%s) rejects with the reason and leaves nothing',
  async writer => {
    const content = Buffer.alloc(8 << 20, 'x')
    const image = await imageOf([
      { path: 'a', type: 'file', content },
      { path: 'b', type: 'file', content },
    ])
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = () => controller.abort(reason)
    const error = await thrownBy(() =>
      unpackImage(store, image, target, { writer, signal: controller.signal, onProgress }),
    )
    expect(error).toBe(reason)
    expect(readdirSync(place.path)).toEqual([])
    expect(await thrownBy(() => unpackLayers(store, [], target, { signal: controller.signal }))).toBe(reason)
  },
)

test('a target that another process creates meanwhile is not replaced', async () => {
  const image = await imageOf([{ path: 'a', type: 'file', content: 'a' }])
  const onProgress = () => {
    if (!existsSync(target)) mkdirSync(join(target, 'theirs'), { recursive: true })
  }
  const error = await thrownBy(() => unpackImage(store, image, target, { ...inline, onProgress }))
  expect(error).toMatchObject({ code: 'ERR_UNPACK' })
  expect(listTree(place.path).map(entry => entry.path)).toEqual(['rootfs', 'rootfs/theirs'])
})

test('a file that another process adds to an empty target fails the call and stays', async () => {
  const image = await imageOf([
    { path: 'a', type: 'file', content: 'a' },
    { path: 'b', type: 'file', content: 'b' },
  ])
  mkdirSync(target)
  const onProgress = () => writeFileSync(join(target, 'b'), 'theirs')
  const error = await thrownBy(() => unpackImage(store, image, target, { ...inline, onProgress }))
  expect(error).toMatchObject({ code: 'ERR_TARGET_NOT_EMPTY' })
  expect([paths(), readFileSync(join(target, 'b'), 'utf8')]).toEqual([['b'], 'theirs'])
})

test('rootless skips owners and reports them', async () => {
  await imageOf([
    { path: 'a', type: 'file', uid: 4321, gid: 1, mode: 0o4755 },
    { path: 'l', type: 'symlink', linkname: 'a', uid: 4321 },
  ])
  const { skipped } = await unpackImage(store, 'app:1', target, { ...inline, rootless: true })
  const [file] = listTree(target)
  expect(file).toMatchObject({ owner: `${process.geteuid?.()}:${process.getegid?.()}`, mode: '755' })
  expect(skipped.map(({ what, path }) => `${what} ${path}`)).toEqual(['owner a', 'mode a', 'owner l'])
})

test.runIf(needsRoot())(
  'as root owners and set-id bits are applied, also where the parent hands its group down',
  async () => {
    await imageOf([
      { path: 'a', type: 'file', uid: 4321, gid: 1234, mode: 0o6755 },
      { path: 'l', type: 'symlink', linkname: 'a', uid: 4321, gid: 5 },
      { path: 'd', type: 'directory', uid: 7, gid: 8, mode: 0o2775 },
      { path: 'd/x', type: 'file' },
    ])
    const { skipped } = await unpackImage(store, 'app:1', target, inline)
    expect(listTree(target).map(({ path, owner, mode }) => [path, owner, mode])).toEqual([
      ['a', '4321:1234', '6755'],
      ['d', '7:8', '2775'],
      ['d/x', '0:0', '644'],
      ['l', '4321:5', '777'],
    ])
    expect(skipped).toEqual([])
  },
)
