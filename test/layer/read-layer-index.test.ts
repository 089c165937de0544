import { describe, expect, test, vi } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { decodeName } from '../../lib/internal/name-bytes.ts'
import { type LayerIndex, readLayer, readLayerIndex, writeLayer } from '../../lib/layer/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { storeLayers } from '../helpers/store-layers.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { variedEntries } from '../helpers/varied-entries.ts'

const entries: TarInput[] = [
  ...variedEntries(),
  {
    path: 'caps',
    type: 'file',
    content: Buffer.alloc(700_000, 'c'),
    xattrs: new Map([
      ['security.capability', Buffer.from([0, 1, 0xff, 0xfe])],
      ['user.name', Buffer.from('value')],
    ]),
  },
]

/** Computes the expected index of these entries by reading the layer. */
async function indexByReading(store: Store, layer: { descriptor: Parameters<typeof readLayer>[1]; diffId: string }) {
  const found = []
  for await (const { content, ...header } of readLayer(store, layer.descriptor)) {
    const digest = await digestOf(content)
    found.push(header.type === 'file' ? { ...header, digest } : header)
  }
  return found
}

const watch = (store: Store) => vi.spyOn(store, 'read')

describe.each(['gzip', 'none'] as const)('the index of a layer (%s)', compression => {
  test('is made while the layer is written, and read without opening it', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, entries, { compression })
    const read = watch(store)
    const index = await readLayerIndex(store, layer)
    expect(read).not.toHaveBeenCalled()
    expect(index).toMatchObject({ version: 1, diffId: layer.diffId, bytes: layer.uncompressedSize, duplicates: [] })
    expect(index.entries).toEqual(await indexByReading(store, layer))
  })

  test('is made by one reading of a layer that came from elsewhere, and kept', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, entries, { compression, index: false })
    expect(await store.derived.get('indexes', layer.diffId)).toBeUndefined()
    const read = watch(store)
    const made = await readLayerIndex(store, layer)
    expect(read).toHaveBeenCalledTimes(1)
    expect(await readLayerIndex(store, layer)).toEqual(made)
    expect(read).toHaveBeenCalledTimes(1)
    const written = await writeLayer(store, entries, { compression })
    expect(await readLayerIndex(store, written)).toEqual(made)
  })

  test('is the same in another process, from disk', async () => {
    using place = temporaryDirectory('index')
    let made: LayerIndex
    let layer: Awaited<ReturnType<typeof writeLayer>>
    {
      await using store = await openStore(place.path, { durability: 'none' })
      layer = await writeLayer(store, entries, { compression })
      made = await readLayerIndex(store, layer, { rebuild: true })
    }
    await using store = await openStore(place.path, { readOnly: true })
    const read = watch(store)
    expect(await readLayerIndex(store, layer)).toEqual(made)
    expect(read).not.toHaveBeenCalled()
  })
})

test('offsets point at the content of each file in the uncompressed tar', async () => {
  await using store = createMemoryStore()
  const layer = await writeLayer(store, entries, { compression: 'none' })
  const tar: Uint8Array[] = []
  for await (const chunk of store.read(layer.descriptor.digest)) tar.push(chunk)
  const bytes = Buffer.concat(tar)
  for (const { type, offset, size, digest } of (await readLayerIndex(store, layer)).entries) {
    if (type === 'file') expect(await digestOf(bytes.subarray(offset, offset + size))).toBe(digest)
  }
})

test('every entry of a path is in the index, in order, and the path is listed once', async () => {
  await using store = createMemoryStore()
  const [layer] = await storeLayers(store, [
    [{ path: 'a', content: '1' }, { path: 'b' }, { path: 'a', content: '22' }, { path: 'a', content: '333' }],
  ])
  const index = await readLayerIndex(store, layer!)
  expect(index.entries.map(({ path, size }) => [path, size])).toEqual([
    ['a', 1],
    ['b', 0],
    ['a', 2],
    ['a', 3],
  ])
  expect(index.duplicates).toEqual(['a'])
})

test('names that are no UTF-8 and names of members of objects come back as they are', async () => {
  await using store = createMemoryStore()
  const names = [decodeName(Buffer.from([0x66, 0xff, 0x80])), '__proto__', 'constructor', 'a\u2028b', '\ud83d\ude00']
  const layer = await writeLayer(
    store,
    names.map(path => ({ path, type: 'file' }) as const),
  )
  expect((await readLayerIndex(store, layer)).entries.map(entry => entry.path)).toEqual(names)
})

test('an empty layer has an empty index', async () => {
  await using store = createMemoryStore()
  const layer = await writeLayer(store, [])
  expect(await readLayerIndex(store, layer)).toEqual({
    version: 1,
    diffId: layer.diffId,
    bytes: 1024,
    entries: [],
    duplicates: [],
  })
})

describe('a kept index that is missing or damaged is rebuilt', () => {
  /** The parts of a stored index: sizes, columns as JSON, paths, digests. */
  const change = (edit: (stored: Record<string, unknown>) => unknown) => (bytes: Uint8Array) => {
    const all = Buffer.from(bytes)
    const end = 8 + all.readUInt32LE(0)
    const columns = Buffer.from(JSON.stringify(edit(JSON.parse(all.toString('utf8', 8, end)))))
    const sizes = Buffer.from(all.subarray(0, 8))
    sizes.writeUInt32LE(columns.byteLength, 0)
    return Buffer.concat([sizes, columns, all.subarray(end)])
  }
  const count = entries.length
  const damage: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ['cut short', bytes => bytes.subarray(0, bytes.byteLength / 2)],
    ['cut to nothing', () => new Uint8Array()],
    ['something else', () => Buffer.from('null')],
    ['JSON of an older version', () => Buffer.from('{"version":1,"paths":[]}')],
    ['of another version', change(stored => ({ ...stored, version: 3 }))],
    ['of another layer', change(stored => ({ ...stored, diffId: `sha256:${'0'.repeat(64)}` }))],
    ['without columns', change(() => null)],
    ['short of a column', change(({ modes: _, ...stored }) => stored)],
    ['short of a value', change(stored => ({ ...stored, modes: [0o644, 1] }))],
    ['full of repetitions', change(stored => ({ ...stored, uids: [0, 2 ** 40] }))],
    ['of an unknown kind', change(stored => ({ ...stored, kinds: '9'.repeat(count) }))],
    ['short of kinds', change(stored => ({ ...stored, kinds: '' }))],
    ['with a digest too many', bytes => Buffer.concat([bytes, Buffer.alloc(32)])],
    ['with half a digest', bytes => bytes.subarray(0, -16)],
    ['with a link of nothing', change(stored => ({ ...stored, links: [[9999, 'x']] }))],
    ['with a path too many', change(stored => ({ ...stored, kinds: `${stored.kinds}0` }))],
    ['without numbers', change(stored => ({ ...stored, sizes: ['1', count] }))],
  ]
  test.each(damage)('if it is %s', async (_, damaged) => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, entries)
    const index = await readLayerIndex(store, layer)
    const bytes = (await store.derived.get('indexes', layer.diffId))!
    await store.derived.set('indexes', layer.diffId, damaged(bytes))
    const read = watch(store)
    expect(await readLayerIndex(store, layer)).toEqual(index)
    expect(read).toHaveBeenCalledTimes(1)
    expect(await store.derived.get('indexes', layer.diffId)).toEqual(bytes)
  })

  test('if the caller wants it so', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, entries)
    const read = watch(store)
    await readLayerIndex(store, layer, { rebuild: true })
    expect(read).toHaveBeenCalledTimes(1)
  })
})

describe('no index is made or kept', () => {
  test('of a layer that has not the diffId of its image', async () => {
    await using store = createMemoryStore()
    const { descriptor } = await writeLayer(store, entries)
    const diffId = `sha256:${'1'.repeat(64)}` as const
    const error = await thrownBy(() => readLayerIndex(store, { descriptor, diffId: diffId as never }))
    expect(error).toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH', expected: diffId })
    expect(await store.derived.get('indexes', diffId)).toBeUndefined()
  })

  test('of a layer that cannot be read', async () => {
    await using store = createMemoryStore()
    const tar = rawTar([{ path: 'a', content: 'x'.repeat(2000) }])
    const [layer] = await storeLayers(store, [tar.subarray(0, 1000)])
    expect(await thrownBy(() => readLayerIndex(store, layer!))).toMatchObject({ code: 'ERR_INVALID_TAR' })
    expect(await store.derived.get('indexes', layer!.diffId)).toBeUndefined()
  })

  test('of a layer that is too large', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, entries, { index: false })
    const error = await thrownBy(() => readLayerIndex(store, layer, { maxBytes: 100_000 }))
    expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  })

  test('after an abort', async () => {
    await using store = createMemoryStore()
    const layer = await writeLayer(store, entries, { index: false })
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    expect(await thrownBy(() => readLayerIndex(store, layer, { signal }))).toBe(reason)
  })

  test('if the layer that is written fails', async () => {
    await using store = createMemoryStore()
    const kept = vi.spyOn(store.derived, 'set')
    const broken = [...entries, { path: 'caps', type: 'file' } as const]
    expect(await thrownBy(() => writeLayer(store, broken))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(kept).not.toHaveBeenCalled()
  })
})

test('a layer whose media type is wrong is indexed, because its diffId proves it', async () => {
  await using store = createMemoryStore()
  const { descriptor, diffId } = await writeLayer(store, entries, { compression: 'gzip', index: false })
  const index = await readLayerIndex(store, { descriptor: { ...descriptor, mediaType: MediaType.OciLayer }, diffId })
  expect(index.entries).toHaveLength(entries.length)
})
