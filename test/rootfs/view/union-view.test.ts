import { describe, expect, test, vi } from 'vitest'
import { composeImage } from '../../../lib/image/index.ts'
import { decodeName } from '../../../lib/internal/name-bytes.ts'
import { readLayerIndex, writeLayer } from '../../../lib/layer/index.ts'
import { keepIndex } from '../../../lib/layer/indexing/keep-index.ts'
import { openUnionView } from '../../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import type { RawEntry } from '../../helpers/raw-tar.ts'
import { readAll } from '../../helpers/read-all.ts'
import { storeLayers } from '../../helpers/store-layers.ts'
import { thrownBy } from '../../helpers/thrown-by.ts'

const open = async (store: Store, ...layers: RawEntry[][]) => openUnionView(store, await storeLayers(store, layers))
const big = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => i % 251))

const sample: RawEntry[][] = [
  [
    { path: 'etc/', mode: 0o750, uid: 1, gid: 2, mtime: 3 },
    { path: 'etc/hosts', content: 'hosts', mode: 0o600, uid: 4, gid: 5, mtime: 6 },
    { path: 'var/run', link: '/run' },
    { path: 'run/' },
    { path: 'etc/alias', type: '1', link: 'etc/hosts' },
    { path: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
    { path: 'big', content: big, pax: { 'SCHILY.xattr.user.a': Buffer.from([0xff, 0]) } },
  ],
  [
    { path: 'var/run/pid', content: '1' },
    { path: 'loop', link: 'loop' },
    { path: 'dangling', link: '/no/where' },
  ],
]

describe('stat', () => {
  test('returns the entry, its layer, and the offset of the content', async () => {
    await using store = createMemoryStore()
    const view = await open(store, ...sample)
    expect(view.stat('etc/hosts')).toEqual({
      path: 'etc/hosts',
      type: 'file',
      mode: 0o600,
      uid: 4,
      gid: 5,
      mtime: 6,
      size: 5,
      digest: expect.stringMatching(/^sha256:/),
      offset: 1024,
      layer: 0,
      implicit: false,
    })
    expect(view.stat('null')).toMatchObject({ type: 'character-device', devMajor: 1, devMinor: 3 })
    expect(view.stat('big')!.xattrs).toEqual(new Map([['user.a', Buffer.from([0xff, 0])]]))
  })

  test('finds the root and implicit directories, and returns undefined for missing paths', async () => {
    await using store = createMemoryStore()
    const view = await open(store, ...sample)
    const implicit = { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, implicit: true, layer: -1 }
    for (const root of ['.', '/', '', './', '..', '../..'])
      expect(view.stat(root)).toMatchObject({ path: '.', ...implicit })
    expect(view.stat('var')).toMatchObject({ path: 'var', ...implicit })
    for (const missing of ['no', 'etc/no', 'etc/hosts/x', 'dangling/x']) expect(view.stat(missing)).toBeUndefined()
  })

  test('accepts a path in any spelling and returns the real path', async () => {
    await using store = createMemoryStore()
    const view = await open(store, ...sample)
    for (const path of ['/etc/hosts', './etc//hosts', 'etc/../etc/./hosts', '../../etc/hosts']) {
      expect(view.stat(path)?.path).toBe('etc/hosts')
    }
    expect(view.stat('var/run/pid')?.path).toBe('run/pid')
  })

  test('follows a link at the end only on request', async () => {
    await using store = createMemoryStore()
    const view = await open(store, ...sample)
    expect(view.stat('var/run')).toMatchObject({ type: 'symlink', linkname: '/run' })
    expect(view.stat('var/run', { follow: true })).toMatchObject({ path: 'run', type: 'directory' })
    expect(view.stat('dangling', { follow: true })).toBeUndefined()
    expect(view.stat('loop')).toMatchObject({ type: 'symlink' })
    const error = await thrownBy(() => view.stat('loop', { follow: true }))
    expect(error).toMatchObject({ code: 'ERR_TOO_MANY_LINKS', path: 'loop' })
  })

  test('returns a hard link as the file', async () => {
    await using store = createMemoryStore()
    const view = await open(store, ...sample)
    const { path: _, ...file } = view.stat('etc/hosts')!
    expect(view.stat('etc/alias')).toEqual({ path: 'etc/alias', ...file })
  })
})

describe('links', () => {
  const chain = (length: number): RawEntry[] => [
    ...Array.from({ length }, (_, i) => ({ path: `l${i}`, link: `l${i + 1}` })),
    { path: `l${length}`, content: 'end' },
  ]

  test('are followed 255 times, and not 256 times', async () => {
    await using store = createMemoryStore()
    const view = await open(store, chain(256))
    expect(view.stat('l1', { follow: true })).toMatchObject({ path: 'l256' })
    expect(await thrownBy(() => view.stat('l0', { follow: true }))).toMatchObject({ code: 'ERR_TOO_MANY_LINKS' })
  })

  test('with long targets cost no more than with short ones', async () => {
    await using store = createMemoryStore()
    const view = await open(store, [
      { path: 'd/' },
      ...Array.from({ length: 200 }, (_, i) => ({ path: `l${i}`, link: `${'d/../'.repeat(700)}l${i + 1}` })),
    ])
    expect(await thrownBy(() => view.stat('l0', { follow: true }))).toMatchObject({ code: 'ERR_TOO_MANY_LINKS' })
  })

  test('of a higher layer lead to the file of a lower layer, also if its first name is deleted', async () => {
    await using store = createMemoryStore()
    const view = await open(
      store,
      [{ path: 'a', content: 'lower' }],
      [{ path: 'b', type: '1', link: 'a' }],
      [{ path: '.wh.a' }, { path: 'c', type: '1', link: 'b' }],
    )
    expect(view.stat('c')).toMatchObject({ type: 'file', size: 5, layer: 0 })
    expect([...view.walk()].map(({ path, type, linkname }) => [path, type, linkname])).toEqual([
      ['b', 'file', undefined],
      ['c', 'hardlink', 'b'],
    ])
    expect(String(await readAll(view.read('c')))).toBe('lower')
  })

  test('to a file that a later entry replaces keep the file', async () => {
    await using store = createMemoryStore()
    const view = await open(
      store,
      [
        { path: 'a', content: 'old' },
        { path: 'b', type: '1', link: 'a' },
        { path: 'a', content: 'new!' },
      ],
      [{ path: 'b2', type: '1', link: 'b' }],
    )
    expect(String(await readAll(view.read('a')))).toBe('new!')
    expect(String(await readAll(view.read('b2')))).toBe('old')
  })

  test.each<[string, RawEntry[]]>([
    ['what is not there', [{ path: 'x', type: '1', link: 'no' }]],
    ['what comes later', [{ path: 'x', type: '1', link: 'y' }, { path: 'y' }]],
    ['a directory', [{ path: 'd/' }, { path: 'x', type: '1', link: 'd' }]],
    [
      'itself',
      [
        { path: 'x', content: 'x' },
        { path: 'x', type: '1', link: 'x' },
      ],
    ],
    [
      'what it replaces',
      [
        { path: 'd/x', content: 'x' },
        { path: 'd', type: '1', link: 'd/x' },
      ],
    ],
    ['what its layer hides', [{ path: 'x', type: '1', link: 'low' }, { path: '.wh.low' }]],
  ])('cannot be hard links to %s', async (_, layer) => {
    await using store = createMemoryStore()
    const error = await thrownBy(() => open(store, [{ path: 'low' }], layer))
    expect(error).toMatchObject({ code: 'ERR_INVALID_LINK', layer: expect.stringMatching(/^sha256:/) })
  })
})

test('list returns the entries of a directory, in the order of bytes', async () => {
  await using store = createMemoryStore()
  const names = ['a', 'a-', 'B', '\u00e9', '\uff5e', '\ud83d\ude00', decodeName(Buffer.from([0xff]))]
  const layer = await writeLayer(
    store,
    [...names].reverse().map(name => ({ path: `d/${name}`, type: 'file' }) as const),
  )
  const view = await openUnionView(store, [layer])
  const expected = ['B', 'a', 'a-', '\u00e9', '\uff5e', '\ud83d\ude00', '\udcff']
  expect(view.list('d').map(({ path }) => path)).toEqual(expected.map(name => `d/${name}`))
  expect([...view.walk('d')].map(({ path }) => path)).toEqual(expected.map(name => `d/${name}`))
  expect(view.list('/').map(({ path }) => path)).toEqual(['d'])
})

test('an empty directory lists nothing', async () => {
  await using store = createMemoryStore()
  const view = await open(store, [{ path: 'empty/' }])
  expect(view.list('empty')).toEqual([])
  expect(view.list('.').map(({ path }) => path)).toEqual(['empty'])
})

test('list follows a link at the end unless follow is false', async () => {
  await using store = createMemoryStore()
  const view = await open(store, ...sample)
  expect(view.list('var/run').map(({ path }) => path)).toEqual(['run/pid'])
  expect(await thrownBy(() => view.list('var/run', { follow: false }))).toMatchObject({ code: 'ERR_NOT_A_DIRECTORY' })
  expect(await thrownBy(() => view.list('etc/hosts'))).toMatchObject({ code: 'ERR_NOT_A_DIRECTORY' })
  expect(await thrownBy(() => view.list('no'))).toMatchObject({ code: 'ERR_PATH_NOT_FOUND', path: 'no' })
})

test('walk yields parents first, starts at any directory, and yields `entries` paths', async () => {
  await using store = createMemoryStore()
  const view = await open(store, ...sample)
  const paths = [...view.walk()].map(({ path }) => path)
  expect(paths).toEqual([
    'big',
    'dangling',
    'etc',
    'etc/alias',
    'etc/hosts',
    'loop',
    'null',
    'run',
    'run/pid',
    'var',
    'var/run',
  ])
  expect(view.entries).toBe(paths.length)
  expect([...view.walk('/etc')].map(({ path, type }) => [path, type])).toEqual([
    ['etc/alias', 'file'],
    ['etc/hosts', 'hardlink'],
  ])
  expect(await thrownBy(() => view.walk('big'))).toMatchObject({ code: 'ERR_NOT_A_DIRECTORY' })
})

test('a name sorts by its directory first: a slash is lower than every other byte', async () => {
  await using store = createMemoryStore()
  const view = await open(store, [{ path: 'a/b' }, { path: 'a-' }, { path: 'a!' }])
  expect([...view.walk()].map(({ path }) => path)).toEqual(['a', 'a/b', 'a!', 'a-'])
})

test('provenance names the layer of a path, through links too', async () => {
  await using store = createMemoryStore()
  const layers = await storeLayers(store, sample)
  const view = await openUnionView(store, layers)
  expect(view.provenance('etc/hosts')).toEqual({ index: 0, ...layers[0] })
  expect(view.provenance('var/run/pid')).toEqual({ index: 1, ...layers[1] })
  expect(view.provenance('var')).toBeUndefined()
  expect(view.provenance('no')).toBeUndefined()
  expect(view.layers).toEqual(layers)
})

describe.each(['gzip', 'none'] as const)('read of a %s layer', compression => {
  const bytes = (from: number, to?: number) => big.subarray(from, to)

  async function written(store: Store) {
    const layer = await writeLayer(
      store,
      [
        { path: 'small', type: 'file', content: 'small' },
        { path: 'big', type: 'file', content: big },
        { path: 'empty', type: 'file' },
        { path: 'way', type: 'symlink', linkname: 'big' },
        { path: 'rest', type: 'file', content: Buffer.alloc(3_000_000, 1) },
      ],
      { compression },
    )
    return { layer, view: await openUnionView(store, [layer]) }
  }

  test('yields the content, or a part of it', async () => {
    await using store = createMemoryStore()
    const { view } = await written(store)
    expect((await readAll(view.read('way'))).equals(big)).toBe(true)
    expect(String(await readAll(view.read('small')))).toBe('small')
    expect((await readAll(view.read('empty'))).byteLength).toBe(0)
    expect(
      (await readAll(view.read('big', { offset: 700_001, length: 300_000 }))).equals(bytes(700_001, 1_000_001)),
    ).toBe(true)
    expect((await readAll(view.read('big', { offset: 1_499_999 }))).equals(bytes(1_499_999))).toBe(true)
    expect((await readAll(view.read('big', { offset: 2_000_000, length: 5 }))).byteLength).toBe(0)
    expect((await readAll(view.read('big', { length: 0 }))).byteLength).toBe(0)
  })

  test('stops at the end of the file, and if the caller stops', async () => {
    await using store = createMemoryStore()
    const { view } = await written(store)
    const sizes: number[] = []
    const read = store.read.bind(store)
    vi.spyOn(store, 'read').mockImplementation(async function* (...args) {
      for await (const chunk of read(...args)) {
        sizes.push(chunk.byteLength)
        yield chunk
      }
    })
    await readAll(view.read('small'))
    expect(sizes.length).toBeLessThanOrEqual(1)
    for await (const _ of view.read('rest')) break
  })

  test('compares the content with the digest in the index', async () => {
    await using store = createMemoryStore()
    const { layer } = await written(store)
    const index = await readLayerIndex(store, layer)
    const digest = `sha256:${'5'.repeat(64)}` as never
    const entries = index.entries.map(entry => (entry.path === 'big' ? { ...entry, digest } : entry))
    await keepIndex(store.derived, { ...index, entries }, {})
    const view = await openUnionView(store, [layer])
    expect(await thrownBy(() => readAll(view.read('big')))).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
    const longer = index.entries.map(entry => (entry.path === 'rest' ? { ...entry, size: 9e6 } : entry))
    await keepIndex(store.derived, { ...index, entries: longer }, {})
    const other = await openUnionView(store, [layer])
    expect(await thrownBy(() => readAll(other.read('rest')))).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
  })

  test('accepts files only, and rejects with the reason of an abort', async () => {
    await using store = createMemoryStore()
    const { view } = await written(store)
    expect(await thrownBy(() => readAll(view.read('.')))).toMatchObject({ code: 'ERR_NOT_A_FILE' })
    expect(await thrownBy(() => readAll(view.read('way', { follow: false })))).toMatchObject({ code: 'ERR_NOT_A_FILE' })
    expect(await thrownBy(() => readAll(view.read('no')))).toMatchObject({ code: 'ERR_PATH_NOT_FOUND' })
    for (const wrong of [{ offset: -1 }, { length: 0.5 }, { offset: Number.NaN }]) {
      expect(await thrownBy(() => readAll(view.read('big', wrong)))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await thrownBy(() => readAll(view.read('big', { signal })))).toBe(signal.reason)
  })
})

describe('opening a view', () => {
  test('accepts a name, a digest, an image or layers', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, [{ path: 'a', type: 'file', content: 'x' }])
    const image = await composeImage(store, { layers: [layer] })
    await store.references.set('app:1', image.descriptor)
    const platform = { os: 'linux', architecture: 'amd64' }
    for (const source of ['app:1', image.descriptor.digest, image.descriptor, image, image.layers]) {
      const view = await openUnionView(store, source, { platform })
      expect(view.stat('a')).toMatchObject({ size: 1 })
    }
    expect(await thrownBy(() => openUnionView(store, 'no:1'))).toMatchObject({ code: 'ERR_REFERENCE_NOT_FOUND' })
    expect((await openUnionView(store, [])).entries).toBe(0)
  })

  test('opens no layer whose index is stored', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, [{ path: 'a', type: 'file', content: 'x' }])
    const read = vi.spyOn(store, 'read')
    await openUnionView(store, [layer, layer])
    expect(read).not.toHaveBeenCalled()
  })

  test('takes the last of two entries with one path and reports it, or rejects the layer', async () => {
    await using store = createMemoryStore()
    const layers = await storeLayers(store, [
      [{ path: 'd/' }, { path: 'd/x', content: '1' }, { path: 'd', content: 'file' }, { path: 'd/', mode: 0o700 }],
      [
        { path: 'e', content: '1' },
        { path: 'e', content: '22' },
      ],
    ])
    const view = await openUnionView(store, layers)
    expect([...view.walk()].map(({ path, type, size }) => [path, type, size])).toEqual([
      ['d', 'directory', 0],
      ['e', 'file', 2],
    ])
    expect(view.warnings).toEqual([
      { code: 'duplicate-path', path: 'd', layer: 0 },
      { code: 'duplicate-path', path: 'e', layer: 1 },
    ])
    const error = await thrownBy(() => openUnionView(store, layers, { duplicates: 'refuse' }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_TAR' })
  })

  test('limits the number of entries', async () => {
    await using store = createMemoryStore()
    const layers = await storeLayers(store, [[{ path: 'a' }, { path: 'b' }], [{ path: 'a' }]])
    expect((await openUnionView(store, layers, { maxEntries: 3 })).entries).toBe(2)
    const error = await thrownBy(() => openUnionView(store, layers, { maxEntries: 2 }))
    expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 2, actual: 3 })
  })

  test('an entry below a file, link or device of a lower layer replaces it', async () => {
    await using store = createMemoryStore()
    const shown = async (...layers: RawEntry[][]) =>
      [...(await open(store, ...layers)).walk()].map(({ path, type }) => `${path} ${type}`)
    const lower = [
      { path: 'f', content: 'x' },
      { path: 'p', type: '6' },
      { path: 'l', link: 'f' },
    ]
    expect(await shown(lower, [{ path: 'f/g/h' }, { path: 'p/q' }])).toEqual([
      'f directory',
      'f/g directory',
      'f/g/h file',
      'l symlink',
      'p directory',
      'p/q file',
    ])
    // Through a link, what the link leads to.
    expect(await shown(lower, [{ path: 'l/g' }])).toEqual(['f directory', 'f/g file', 'l symlink', 'p fifo'])
    // Another name of the file keeps it.
    const linked = [{ path: 'f' }, { path: 'h', type: '1', link: 'f' }]
    expect(await shown(linked, [{ path: 'f/g' }])).toEqual(['f directory', 'f/g file', 'h file'])
    // Marks hide nothing there, and only those for a whole directory need one.
    expect(await shown(lower, [{ path: 'f/.wh.g' }, { path: 'p/.wh..wh..opq' }])).toEqual([
      'f file',
      'l symlink',
      'p directory',
    ])
  })

  test('rejects entries below an entry of their own layer that is no directory', async () => {
    await using store = createMemoryStore()
    for (const [first, ...rest] of [
      [{ path: 'f', content: 'x' }, { path: 'f/g/h' }],
      [{ path: 'f' }, { path: 'f/g' }],
      [{ path: 'f' }, { path: 'h', type: '1', link: 'f' }, { path: 'h/g' }],
      [{ path: 'l', link: 'f' }, { path: 'f' }, { path: 'l/g' }],
    ]) {
      const error = await thrownBy(() => open(store, [first!, ...rest]))
      expect(error).toMatchObject({ code: 'ERR_NOT_A_DIRECTORY', layer: expect.stringMatching(/^sha256:/) })
      // Nor does a file of a lower layer change that.
      expect(await thrownBy(() => open(store, [{ path: 'f', content: 'low' }], [first!, ...rest]))).toMatchObject({
        code: 'ERR_NOT_A_DIRECTORY',
      })
    }
  })

  test('hard links to a pseudo-link of AUFS are names of one file, and the pseudo-link is invisible', async () => {
    await using store = createMemoryStore()
    const layer: RawEntry[] = [
      { path: '.wh..wh.plnk/' },
      { path: '.wh..wh.plnk/1.2', content: 'X', mode: 0o755 },
      { path: 'a', type: '1', link: './.wh..wh.plnk/1.2' },
      { path: 'x/' },
      { path: 'x/b', type: '1', link: '.wh..wh.plnk/1.2' },
    ]
    const view = await open(store, layer, [{ path: 'other' }])
    expect([...view.walk()].map(({ path, type, mode, linkname }) => [path, type, mode, linkname])).toEqual([
      ['a', 'file', 0o755, undefined],
      ['other', 'file', 0o644, undefined],
      ['x', 'directory', 0o755, undefined],
      ['x/b', 'hardlink', 0o755, 'a'],
    ])
    expect(await readAll(view.read('x/b'))).toEqual(Buffer.from('X'))
    expect(view.provenance('x/b')).toMatchObject({ index: 0 })
    // They are those of one layer, and files only.
    const broken = { code: 'ERR_INVALID_LINK' }
    expect(await thrownBy(() => open(store, layer.slice(0, 2), layer.slice(2)))).toMatchObject(broken)
    expect(await thrownBy(() => open(store, [{ path: '.wh..wh.plnk/1.2/' }, layer[2]!]))).toMatchObject(broken)
    expect(await thrownBy(() => open(store, layer.toReversed()))).toMatchObject(broken)
  })

  test('rejects an index with unsafe paths, from any source', async () => {
    await using store = createMemoryStore()
    const [layer] = await storeLayers(store, [[{ path: 'a' }]])
    const index = await readLayerIndex(store, layer!)
    for (const path of ['..', '../x', 'a/..', 'a/../../x', 'a/', '']) {
      await keepIndex(store.derived, { ...index, entries: [{ ...index.entries[0]!, path }] }, {})
      expect(await thrownBy(() => openUnionView(store, [layer!]))).toMatchObject({
        code: 'ERR_UNSAFE_PATH',
        path: expect.any(String),
      })
    }
    // NUL ends a path there: two of them make an index that is none, and is made again.
    await keepIndex(store.derived, { ...index, entries: [{ ...index.entries[0]!, path: 'x\0y' }] }, {})
    expect((await openUnionView(store, [layer!])).stat('a')).toBeDefined()
    await keepIndex(store.derived, { ...index, entries: [{ ...index.entries[0]!, path: '.' }] }, {})
    expect(await thrownBy(() => openUnionView(store, [layer!]))).toMatchObject({ code: 'ERR_UNSAFE_PATH' })
    await keepIndex(store.derived, { ...index, entries: [{ ...index.entries[0]!, path: '../x/.wh.y' }] }, {})
    expect(await thrownBy(() => openUnionView(store, [layer!]))).toMatchObject({ code: 'ERR_UNSAFE_PATH' })
  })
})
