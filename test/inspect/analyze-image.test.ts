import { beforeEach, describe, expect, test } from 'vitest'
import { composeImage, type Image } from '../../lib/image/index.ts'
import { analyzeImage, diveReport, type ImageAnalysis } from '../../lib/inspect/index.ts'
import { writeLayer } from '../../lib/layer/index.ts'
import type { RunConfig } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'

let store: Store
beforeEach(() => {
  store = createMemoryStore()
})

const file = (path: string, size: number, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'file',
  content: Buffer.alloc(size, path),
  ...more,
})
const gone = (path: string): TarInput => ({ path: path.replace(/[^/]+$/, '.wh.$&'), type: 'file' })

async function imageOf(layers: readonly (readonly TarInput[])[], more: { base?: Image; config?: RunConfig } = {}) {
  const written = []
  for (const [i, entries] of layers.entries()) {
    const layer = await writeLayer(store, [...entries], { compression: i % 2 ? 'none' : 'gzip' })
    written.push({ ...layer, history: { created_by: `step ${i}` } })
  }
  return composeImage(store, { layers: written, ...more })
}

async function analysisOf(...layers: readonly (readonly TarInput[])[]): Promise<ImageAnalysis> {
  return analyzeImage(store, await imageOf(layers))
}

describe('waste', () => {
  test('is what no container sees, without the copy that remains', async () => {
    const found = await analysisOf([file('a', 60), file('b', 60)], [file('a', 40)])
    expect(found.waste).toMatchObject({ bytes: 60, count: 1 })
    expect(found.waste.paths).toEqual([
      { path: 'a', bytes: 60, copies: [{ layer: 0, bytes: 60, why: 'replaced', by: 1 }] },
    ])
    expect(found.efficiency.wastedBytes).toBe(100)
    expect(found).toMatchObject({ bytes: 160, visibleBytes: 100, entries: 2 })
    expect(found.layers.map(({ hiddenBytes }) => hiddenBytes)).toEqual([60, 0])
  })

  test('of removed files, directories and opaque directories is exact, and names the layer that removes them', async () => {
    const { waste } = await analysisOf(
      [file('a', 1), file('d/x', 2), file('d/e/y', 4), file('o/z', 8), file('keep', 16), file('f/in', 32)],
      [gone('a'), gone('d'), { path: 'o/.wh..wh..opq', type: 'file' }, file('f', 64)],
    )
    expect(waste.bytes).toBe(1 + 2 + 4 + 8 + 32)
    expect(waste.byReason).toEqual({ removed: 47, replaced: 0, rewritten: 0, repeated: 0, hidden: 0 })
    expect(waste.paths.map(({ path, copies }) => [path, copies[0]!.by])).toEqual([
      ['f/in', 1],
      ['o/z', 1],
      ['d/e/y', 1],
      ['d/x', 1],
      ['a', 1],
    ])
  })

  test('counts a file that is hard-linked elsewhere as visible', async () => {
    const { waste } = await analysisOf([file('a', 10)], [{ path: 'b', type: 'hardlink', linkname: 'a' }], [gone('a')])
    expect(waste.bytes).toBe(0)
  })

  test('is found through links, where no path tells which layer hides the file', async () => {
    const link: TarInput = { path: 'l', type: 'symlink', linkname: 'd' }
    const { waste } = await analysisOf([file('d/x', 10), link], [file('l/x', 5)])
    expect(waste.paths).toEqual([{ path: 'd/x', bytes: 10, copies: [{ layer: 0, bytes: 10, why: 'hidden' }] }])
  })

  test('of the base alone is told apart from waste of the layers above it', async () => {
    const base = await imageOf([[file('a', 10), file('b', 20)], [file('a', 1)]])
    const image = await imageOf([[file('b', 2)]], { base })
    expect(await analyzeImage(store, image)).toMatchObject({
      base: { layers: 2, from: 'annotation' },
      waste: { bytes: 30, baseBytes: 10, userBytes: 20 },
    })
    expect(await analyzeImage(store, image, { base: 0 })).toMatchObject({
      base: { layers: 0, from: 'option' },
      waste: { baseBytes: 0, userBytes: 30 },
    })
    expect((await analyzeImage(store, image, { base })).base).toMatchObject({ layers: 2, from: 'option' })
    expect((await analyzeImage(store, base)).base).toMatchObject({ layers: 1, from: 'first-layer' })
    await expect(analyzeImage(store, image, { base: 4 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })
})

test('rewrites are files that a layer stores again with other metadata only', async () => {
  const { rewrites, waste, efficiency } = await analysisOf(
    [file('a', 100), file('b', 50), file('c', 10)],
    [file('a', 100, { uid: 1, gid: 1 }), file('b', 50, { uid: 1, mode: 0o600 }), file('c', 10)],
    [file('a', 100, { uid: 1, gid: 1 })],
  )
  expect(rewrites).toEqual({
    bytes: 260,
    count: 4,
    layers: [
      { layer: 1, bytes: 160, count: 3, fields: { uid: 2, gid: 1, mode: 1 } },
      { layer: 2, bytes: 100, count: 1, fields: {} },
    ],
  })
  expect(waste.byReason.rewritten).toBe(260)
  // dive counts all five copies of a, b and c.
  expect(efficiency.wastedBytes).toBe(420)
})

test('copies are equal content at several visible paths; hard links and hidden files are none', async () => {
  const same = { content: 'x'.repeat(30) }
  const { copies, waste } = await analysisOf(
    [file('a', 0, same), { path: 'l', type: 'hardlink', linkname: 'a' }, file('gone', 0, same), file('empty', 0)],
    [file('d/b', 0, same), file('d/c', 0, same), gone('gone'), file('other', 30), file('empty2', 0)],
  )
  expect(copies).toEqual({
    bytes: 60,
    count: 1,
    contents: [{ size: 30, bytes: 60, count: 3, paths: ['a', 'd/b', 'd/c'] }],
  })
  expect(waste.bytes).toBe(30)
})

test('the largest files and directories are listed, a directory that only wraps another is not', async () => {
  const { biggest } = await analysisOf([
    file('usr/lib/x/big', 900),
    file('usr/lib/y', 60),
    file('usr/bin/z', 5),
    file('top', 70),
  ])
  expect(biggest.files.map(({ path, bytes }) => [path, bytes])).toEqual([
    ['usr/lib/x/big', 900],
    ['top', 70],
    ['usr/lib/y', 60],
    ['usr/bin/z', 5],
  ])
  expect(biggest.directories).toEqual([
    { path: 'usr/lib/x', bytes: 900, files: 1 },
    { path: 'usr/bin', bytes: 5, files: 1 },
  ])
})

test('caches are found in every layer, also if they are removed later', async () => {
  const { caches } = await analysisOf(
    [file('var/lib/apt/lists/a_Packages', 100), file('root/.cache/pip/http/x', 50), file('usr/lib/y', 3)],
    [gone('var/lib/apt/lists'), file('home/node/.npm/_cacache/index/a', 7), file('home/node/.npm/_cacache/b', 1)],
    [file('tmp/left', 2), file('var/log/dpkg.log', 1), file('app/tmp/mine', 9)],
  )
  expect(caches.map(({ advice: _, ...cache }) => cache)).toEqual([
    { kind: 'apt', path: 'var/lib/apt/lists', bytes: 100, hiddenBytes: 100, files: 1, layers: [0] },
    { kind: 'pip', path: 'root/.cache/pip', bytes: 50, hiddenBytes: 0, files: 1, layers: [0] },
    { kind: 'npm', path: 'home/node/.npm/_cacache', bytes: 8, hiddenBytes: 0, files: 2, layers: [1] },
    { kind: 'temporary files', path: 'tmp', bytes: 2, hiddenBytes: 0, files: 1, layers: [2] },
    { kind: 'logs', path: 'var/log', bytes: 1, hiddenBytes: 0, files: 1, layers: [2] },
  ])
  expect(caches.every(({ advice }) => advice.length > 10)).toBe(true)
})

test.each([
  ['var/cache/apk/APKINDEX', 'apk'],
  ['var/cache/dnf/x/y', 'dnf'],
  ['var/cache/pacman/pkg/a', 'pacman'],
  ['root/.cache/uv/a', 'uv'],
  ['home/u/.cache/pypoetry/a', 'poetry'],
  ['opt/conda/pkgs/a', 'conda'],
  ['usr/local/share/.cache/yarn/v6/a', 'yarn'],
  ['app/.pnpm-store/v3/a', 'pnpm'],
  ['root/.bun/install/cache/a', 'bun'],
  ['go/pkg/mod/cache/download/a', 'go'],
  ['root/.cache/go-build/00/a', 'go'],
  ['usr/local/cargo/registry/cache/a', 'cargo'],
  ['root/.m2/repository/a', 'maven'],
  ['root/.gradle/caches/a', 'gradle'],
  ['usr/local/bundle/cache/a.gem', 'gem'],
  ['root/.composer/cache/a', 'composer'],
  ['root/.nuget/packages/a', 'nuget'],
  ['var/cache/zypp/a', 'zypper'],
])('%s is a cache of %s', async (path, kind) => {
  expect((await analysisOf([file(path, 1)])).caches).toMatchObject([{ kind, files: 1 }])
})

test('set-id programs are listed with every name, files that nobody may execute are not', async () => {
  const { setId } = await analysisOf([
    file('bin/su', 5, { mode: 0o4755 }),
    { path: 'bin/su2', type: 'hardlink', linkname: 'bin/su' },
    file('bin/write', 5, { mode: 0o2755, gid: 5 }),
    file('data', 5, { mode: 0o4644 }),
    { path: 'dir', type: 'directory', mode: 0o2755 },
  ])
  expect(setId).toEqual([
    { path: 'bin/su', mode: 0o4755, uid: 0, gid: 0, layer: 0 },
    { path: 'bin/su2', mode: 0o4755, uid: 0, gid: 0, layer: 0 },
    { path: 'bin/write', mode: 0o2755, uid: 0, gid: 5, layer: 0 },
  ])
})

test('figures name each layer, its command, and its sizes; lists are cut, sums are not', async () => {
  const image = await imageOf([
    [file('a', 10), file('b', 20)],
    [file('a', 1), file('b', 2)],
  ])
  const found = await analyzeImage(store, image, { most: 1 })
  expect(found.layers).toMatchObject([
    { index: 0, createdBy: 'step 0', bytes: 30, files: 2, hiddenBytes: 30, base: true },
    { index: 1, createdBy: 'step 1', bytes: 3, files: 2, hiddenBytes: 0, base: false },
  ])
  expect(found.blobBytes).toBe(image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0))
  expect(found.waste).toMatchObject({ bytes: 30, count: 2, paths: [{ path: 'b' }] })
  expect(found.efficiency.paths).toHaveLength(1)
  expect(found.platform).toBe('linux/amd64')
})

test('an image without layers has no waste', async () => {
  expect(await analysisOf()).toMatchObject({
    bytes: 0,
    base: { layers: 0 },
    efficiency: { score: 1 },
    waste: { bytes: 0 },
  })
})

test('the report of dive has its keys, its modes and its type flags', async () => {
  const image = await imageOf([
    [
      { path: 'd', type: 'directory', mode: 0o1777 },
      file('d/f', 3, { mode: 0o4755, uid: 7 }),
      { path: 'l', type: 'symlink', linkname: 'd/f', mode: 0o777 },
      file('x/y', 1),
    ],
    [file('d/f', 4)],
  ])
  const report = await diveReport(store, image)
  expect(report.image).toEqual({
    sizeBytes: 8,
    inefficientBytes: 7,
    efficiencyScore: (3 + 1) / (7 + 1),
    fileReference: [{ count: 2, sizeBytes: 7, file: '/d/f' }],
  })
  expect(report.layer).toHaveLength(2)
  const [layer] = report.layer
  expect(layer).toMatchObject({
    index: 0,
    id: image.layers[0]!.descriptor.digest.slice(7),
    digestId: image.layers[0]!.diffId,
    sizeBytes: 4,
    command: 'step 0',
  })
  // Bits of Go's os.FileMode: directory 1<<31, sticky 1<<20, set-user-id 1<<23, symbolic link 1<<27.
  expect(layer!.fileList).toEqual([
    { path: 'd/f', typeFlag: 48, linkName: '', size: 3, fileMode: 2 ** 23 + 0o755, uid: 7, gid: 0, isDir: false },
    {
      path: 'd',
      typeFlag: 53,
      linkName: '',
      size: 0,
      fileMode: 2 ** 31 + 2 ** 20 + 0o777,
      uid: 0,
      gid: 0,
      isDir: true,
    },
    { path: 'l', typeFlag: 50, linkName: 'd/f', size: 0, fileMode: 2 ** 27 + 0o777, uid: 0, gid: 0, isDir: false },
    { path: 'x/y', typeFlag: 48, linkName: '', size: 1, fileMode: 0o644, uid: 0, gid: 0, isDir: false },
    { path: '', typeFlag: 0, linkName: '', size: 0, fileMode: 0, uid: 0, gid: 0, isDir: false },
  ])
})
