import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/digest/index.ts'
import { diffTrees, readLayer, readLayerIndex, writeLayer } from '../../lib/layer/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { openUnionView, unpackLayers } from '../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { tarEnd, tarMember, tarPax } from '../helpers/tar-block.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { unpackCase } from '../helpers/unpack-case.ts'

/** A file of 5,000 bytes of which two blocks are stored, between two plain ones. */
const content = Buffer.concat([Buffer.alloc(1000), Buffer.alloc(512, 'a'), Buffer.alloc(2000), Buffer.alloc(512, 'b')])
const file = Buffer.concat([content, Buffer.alloc(5000 - content.byteLength)])
const map = Buffer.from('2\n1000\n512\n3512\n512\n'.padEnd(512, '\0'))
const tar = Buffer.concat([
  tarMember({ name: 'before' }, 'before'),
  tarPax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': '5000' }),
  tarMember({ name: 'GNUSparseFile.0/s' }, Buffer.concat([map, Buffer.alloc(512, 'a'), Buffer.alloc(512, 'b')])),
  tarMember({ name: 'after' }, 'after'),
  tarEnd,
])

async function stored(store: Store, compressed: boolean) {
  const info = await store.put(compressed ? gzipSync(tar) : tar)
  const mediaType = compressed ? MediaType.OciLayerGzip : MediaType.OciLayer
  return { descriptor: { mediaType, ...info }, diffId: await digestOf(tar) }
}

test.each([true, false])('every reader gets the same sparse file (compressed: %s)', async compressed => {
  await using store = createMemoryStore()
  const layer = await stored(store, compressed)

  const [, entry] = await readEntries(readLayer(store, layer.descriptor, layer))
  expect(entry).toMatchObject({ path: 's', size: 5000, text: file.toString('latin1') })

  const index = await readLayerIndex(store, layer)
  const indexed = { path: 's', size: 5000, digest: await digestOf(file), sparse: entry!.sparse }
  expect(index.entries[1]).toMatchObject(indexed)
  expect(await readLayerIndex(store, layer)).toEqual(index)

  const view = await openUnionView(store, [layer])
  expect((await readAll(view.read('s'))).equals(file)).toBe(true)
  for (const [offset, length] of [
    [0, 10],
    [990, 20],
    [1000, 512],
    [1200, 2400],
    [1512, 2000],
    [4000, 1000],
    [4999, 1],
  ] as const) {
    const part = await readAll(view.read('s', { offset, length }))
    expect(part.equals(file.subarray(offset, offset + length)), `${length} at ${offset}`).toBe(true)
  }
  expect((await readAll(view.read('after'))).toString()).toBe('after')
})

test('unpacked and written again it is a plain file with its holes filled', async () => {
  await using store = createMemoryStore()
  const layer = await stored(store, true)
  using unpacked = await unpackCase(() => [tar])
  expect(unpacked.error).toBeUndefined()
  expect(readFileSync(`${unpacked.root}/s`).equals(file)).toBe(true)

  const again = await writeLayer(store, readLayer(store, layer.descriptor, layer))
  const [, entry] = await readEntries(readLayer(store, again.descriptor, again))
  expect(entry).toMatchObject({ path: 's', size: 5000, text: file.toString('latin1') })
  expect(entry).not.toHaveProperty('sparse')
})

describe('a sparse file of which hardly anything is stored', () => {
  const SIZE = 6 * 2 ** 20
  /** One block of a letter between holes. */
  const sparseTar = (letter: string, at: number) =>
    Buffer.concat([
      tarPax({
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': 's',
        'GNU.sparse.realsize': String(SIZE),
      }),
      tarMember(
        { name: 'x' },
        Buffer.concat([Buffer.from(`1\n${at}\n512\n`.padEnd(512, '\0')), Buffer.alloc(512, letter)]),
      ),
      tarMember({ name: 'after' }, 'after'),
      tarEnd,
    ])
  const bytesOf = (letter: string, at: number) => Buffer.alloc(SIZE).fill(letter, at, at + 512)
  const layerOf = async (store: Store, letter: string, at = 4096) => {
    const bytes = sparseTar(letter, at)
    return { descriptor: { mediaType: MediaType.OciLayer, ...(await store.put(bytes)) }, diffId: await digestOf(bytes) }
  }

  test('has the digest of what is stored in its place, in the index and in what is kept of it', async () => {
    await using store = createMemoryStore()
    const layer = await layerOf(store, 'a')
    const index = await readLayerIndex(store, layer)
    const sparse = [{ offset: 4096, length: 512 }]
    const storedDigest = await digestOf(Buffer.alloc(512, 'a'))
    expect(index.entries[0]).toMatchObject({ path: 's', size: SIZE, storedDigest, sparse })
    expect(index.entries[0]).not.toHaveProperty('digest')
    expect(index.entries[1]).toMatchObject({ path: 'after', digest: await digestOf(Buffer.from('after')) })
    expect(await readLayerIndex(store, layer)).toEqual(index)
  })

  test('may have nothing but holes, which count for the limits all the same', async () => {
    await using store = createMemoryStore()
    const empty = (size: number) => {
      const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's' }
      return Buffer.concat([
        tarPax({ ...records, 'GNU.sparse.realsize': String(size) }),
        tarMember({ name: 'x' }, '0\n'.padEnd(512, '\0')),
        tarEnd,
      ])
    }
    const [layer] = await storeLayers(store, [empty(2 ** 29)])
    const [entry] = (await readLayerIndex(store, layer!)).entries
    expect(entry).toMatchObject({ size: 2 ** 29, sparse: [], storedDigest: await digestOf(Buffer.alloc(0)) })
    const tooMuch = await storeLayers(store, [empty(2 ** 31)])
    expect(await thrownBy(() => openUnionView(store, tooMuch))).toMatchObject({
      code: 'ERR_LIMIT_EXCEEDED',
      limit: 1000,
    })
    using unpacked = await unpackCase(() => [empty(2 ** 31)])
    expect(unpacked.error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 1000 })
  })

  test('is read with its zeros, and what is stored is proven', async () => {
    await using store = createMemoryStore()
    const view = await openUnionView(store, [await layerOf(store, 'a')])
    expect((await readAll(view.read('s'))).equals(bytesOf('a', 4096))).toBe(true)
    expect((await readAll(view.read('s', { offset: 4000, length: 200 }))).subarray(90, 100).toString()).toBe(
      '\0\0\0\0\0\0aaaa',
    )
    // A store that returns the bytes of another layer.
    const read = (_: string, { offset, length }: { offset: number; length: number }) => [
      sparseTar('b', 4096).subarray(offset, offset + length),
    ]
    const lying = await openUnionView({ ...store, derived: store.derived, read } as unknown as Store, view.layers)
    expect(await thrownBy(() => readAll(lying.read('s')))).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  })

  test('is compared by what is stored, and by all of it where that is not enough', async () => {
    await using store = createMemoryStore()
    using place = temporaryDirectory('sparse')
    const viewOf = async (letter: string, at?: number) => openUnionView(store, [await layerOf(store, letter, at)])
    const [one, other, moved] = [await viewOf('a'), await viewOf('b'), await viewOf('a', 8192)]
    const changes = async (...trees: Parameters<typeof diffTrees>) =>
      (await diffTrees(trees[0], trees[1], { ignore: ['mode', 'mtime', 'uid', 'gid'] })).modified.map(
        ({ path }) => path,
      )
    expect(await changes(one, await viewOf('a'))).toEqual([])
    expect(await changes(one, other)).toEqual(['s'])
    expect(await changes(one, moved)).toEqual(['s'])
    writeFileSync(`${place.path}/s`, bytesOf('a', 4096))
    writeFileSync(`${place.path}/after`, 'after')
    expect(await changes(one, place.path)).toEqual([])
    expect(await changes(place.path, other)).toEqual(['s'])
  })
})

test.each([
  ['out of order', [[3512, 512, 1000, 512]]],
  ['past the end', [[4900, 512]]],
  ['no numbers', [['x', 512]]],
  ['empty', [[0, 0]]],
])('an index whose map is %s is made again', async (_, [regions]) => {
  await using store = createMemoryStore()
  const layer = await stored(store, true)
  const index = await readLayerIndex(store, layer)
  const bytes = (await store.derived.get('indexes', layer.diffId))!
  await changeColumns(store, layer.diffId, { sparse: [[1, regions]] })
  expect(await readLayerIndex(store, layer)).toEqual(index)
  expect(await store.derived.get('indexes', layer.diffId)).toEqual(bytes)
})

test.each([
  ['an entry that is no sparse file', [0]],
  ['an entry that is not there', [9]],
])('an index that tells stored bytes of %s is made again', async (_, storedOnly) => {
  await using store = createMemoryStore()
  const layer = await stored(store, true)
  const index = await readLayerIndex(store, layer)
  await changeColumns(store, layer.diffId, { storedOnly })
  expect(await readLayerIndex(store, layer)).toEqual(index)
})

/** Changes the JSON in a stored index. */
async function changeColumns(store: Store, diffId: Digest, members: object): Promise<void> {
  const all = Buffer.from((await store.derived.get('indexes', diffId))!)
  const end = 8 + all.readUInt32LE(0)
  const columns = Buffer.from(JSON.stringify({ ...JSON.parse(all.toString('utf8', 8, end)), ...members }))
  const sizes = Buffer.from(all.subarray(0, 8))
  sizes.writeUInt32LE(columns.byteLength, 0)
  await store.derived.set('indexes', diffId, Buffer.concat([sizes, columns, all.subarray(end)]))
}

test('limits reach every act that reads a layer', async () => {
  await using store = createMemoryStore()
  const layer = await stored(store, true)
  const refused = { code: 'ERR_LIMIT_EXCEEDED', limit: 2 }
  expect(
    await thrownBy(() => readEntries(readLayer(store, layer.descriptor, { ...layer, maxEntries: 2 }))),
  ).toMatchObject(refused)
  expect(await thrownBy(() => readLayerIndex(store, layer, { maxEntries: 2 }))).toMatchObject(refused)
  expect(await thrownBy(() => openUnionView(store, [layer], { maxEntries: 2 }))).toMatchObject(refused)
  const entries = ['a', 'b', 'c'].map(path => ({ path, type: 'file' as const }))
  expect(await thrownBy(() => writeLayer(store, entries, { limits: { maxEntries: 2 } }))).toMatchObject(refused)
  expect(await thrownBy(() => openUnionView(store, [layer], { limits: { maxPathBytes: 2 } }))).toMatchObject(refused)
  using place = temporaryDirectory('limits')
  const root = `${place.path}/root`
  const options = { writer: 'inline', limits: { maxEntries: 2 } } as const
  expect(await thrownBy(() => unpackLayers(store, [layer], root, options))).toMatchObject(refused)
  expect(existsSync(root)).toBe(false)
})

test('a ratio of compression that the caller sets holds for the layer', async () => {
  await using store = createMemoryStore()
  const bytes = Buffer.concat([tarMember({ name: 'zeros' }, Buffer.alloc(65 * 2 ** 20)), tarEnd])
  const info = await store.put(gzipSync(bytes))
  const descriptor = { mediaType: MediaType.OciLayerGzip, ...info }
  const read = async (maxRatio: number) => {
    for await (const _ of readLayer(store, descriptor, { maxRatio }));
  }
  expect(await thrownBy(() => read(100))).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', limit: 100 })
  await read(2000)
})
