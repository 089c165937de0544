import { createHash } from 'node:crypto'
import zlib, { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { fromDirectory, readLayer, writeLayer } from '../../lib/layer/index.ts'
import { planCollection, runCollection } from '../../lib/maintenance/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { type TarInput, writeTar } from '../../lib/tar/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needs } from '../helpers/needs.ts'
import { readAll } from '../helpers/read-all.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const entries = (): TarInput[] => [
  { path: 'd', type: 'directory' },
  { path: 'd/f', type: 'file', content: mixedBytes(3_000_000) },
]
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

test.each([
  ['gzip', 'application/vnd.oci.image.layer.v1.tar+gzip', gunzipSync],
  ['none', 'application/vnd.oci.image.layer.v1.tar', (bytes: Buffer) => bytes],
] as const)('a layer of compression %s stands in the store under its digest', async (compression, mediaType, open) => {
  const store = createMemoryStore()
  const layer = await writeLayer(store, entries(), { compression })
  const tar = await readAll(writeTar(entries()))
  const blob = await readAll(store.read(layer.descriptor.digest))
  expect(open(blob).equals(tar)).toBe(true)
  expect(layer).toEqual({
    descriptor: { mediaType, digest: sha256(blob), size: blob.byteLength },
    diffId: sha256(tar),
    uncompressedSize: tar.byteLength,
  })
})

test.runIf(needs('zstdCompress' in zlib, 'needs a Node that writes zstd'))(
  'a zstd layer is written and read',
  async () => {
    const store = createMemoryStore()
    const { descriptor, diffId } = await writeLayer(store, entries(), { compression: 'zstd' })
    expect(descriptor.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd')
    expect(await readEntries(readLayer(store, descriptor, { diffId }))).toHaveLength(2)
  },
)

test.runIf(needs(!('zstdCompress' in zlib), 'needs a Node that cannot write zstd'))(
  'a zstd layer is refused where the platform cannot write it',
  async () => {
    expect(await thrownBy(() => writeLayer(createMemoryStore(), entries(), { compression: 'zstd' }))).toMatchObject({
      code: 'ERR_UNSUPPORTED_COMPRESSION',
    })
  },
)

test('gzip is the default, writing twice gives the same blob, with either hasher', async () => {
  const store = createMemoryStore()
  const one = await writeLayer(store, entries())
  const two = await writeLayer(store, entries(), { hasher: 'native', compression: 'gzip', level: 6 })
  expect(two).toEqual(one)
  expect(await blobsOf(store)).toEqual([one.descriptor.digest])
  const other = await writeLayer(store, entries(), { level: 1 })
  expect(other.diffId).toBe(one.diffId)
  expect(other.descriptor.digest).not.toBe(one.descriptor.digest)
})

test.each(['gzip', 'none'] as const)(
  'a store that keeps the chunks it was put has a layer of compression %s',
  async compression => {
    const many = () =>
      Array.from({ length: 300 }, (_, i): TarInput => ({ path: `${i}`, type: 'file', content: mixedBytes(9000 + i) }))
    const store = createMemoryStore()
    let kept = Buffer.alloc(0)
    const keeping = {
      derived: store.derived,
      async put(source: AsyncIterable<Uint8Array>) {
        const chunks: Uint8Array[] = []
        for await (const chunk of source) chunks.push(chunk)
        kept = Buffer.concat(chunks)
        return { digest: sha256(kept) as Digest, size: kept.byteLength }
      },
    }
    await writeLayer(keeping as unknown as Store, many(), { compression })
    const tar = await readAll(writeTar(many()))
    expect((compression === 'gzip' ? gunzipSync(kept) : kept).equals(tar)).toBe(true)
  },
)

test('annotations stand in the descriptor', async () => {
  const { descriptor } = await writeLayer(createMemoryStore(), entries(), { annotations: { a: 'b' } })
  expect(descriptor.annotations).toEqual({ a: 'b' })
})

test('progress counts entries and bytes up to the totals', async () => {
  const news: { entries: number; bytes: number }[] = []
  const { uncompressedSize } = await writeLayer(createMemoryStore(), entries(), { onProgress: p => news.push(p) })
  expect(news.length).toBeGreaterThan(2)
  expect(news.at(-1)).toEqual({ entries: 2, bytes: uncompressedSize })
  expect(news[0]!.bytes).toBeLessThan(uncompressedSize)
})

test('an empty layer can be written and read', async () => {
  const store = createMemoryStore()
  const { descriptor, diffId, uncompressedSize } = await writeLayer(store, [])
  expect(uncompressedSize).toBe(1024)
  expect(await readEntries(readLayer(store, descriptor, { diffId }))).toEqual([])
})

describe('nothing is stored', () => {
  const refused = async (input: Parameters<typeof writeLayer>[1], options: Parameters<typeof writeLayer>[2] = {}) => {
    const store = createMemoryStore()
    const error = await thrownBy(() => writeLayer(store, input, options))
    expect(await blobsOf(store)).toEqual([])
    return error
  }

  test('if a path comes twice, in whatever spelling', async () => {
    const twice: TarInput[] = [
      { path: 'a/b', type: 'file' },
      { path: './a//b/', type: 'directory' },
    ]
    expect(await refused(twice)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('if content does not have its size', async () => {
    expect(await refused([{ path: 'a', type: 'file', content: 'abc', size: 4 }])).toMatchObject({
      code: 'ERR_SIZE_MISMATCH',
    })
  })

  test('if a compression is not known or its level out of range', async () => {
    expect(await refused(entries(), { compression: 'xz' as never })).toMatchObject({
      code: 'ERR_UNSUPPORTED_COMPRESSION',
    })
    expect(await refused(entries(), { level: 12 })).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('if there is no such directory', async () => {
    expect(await refused(fromDirectory('/no/such/directory'))).toMatchObject({ code: 'ERR_SOURCE_NOT_FOUND' })
  })

  test.each(['gzip', 'none'] as const)('if the call is aborted while content is silent (%s)', async compression => {
    const controller = new AbortController()
    const { source } = watchedSource([Buffer.alloc(10)], { silent: true })
    setTimeout(() => controller.abort('enough'), 30)
    const silent: TarInput[] = [{ path: 'a', type: 'file', size: 20, content: source }]
    expect(await refused(silent, { compression, signal: controller.signal })).toBe('enough')
  })
})

test('a layer is not collected before its writer knows of it', async () => {
  const store = createMemoryStore()
  let deleted: readonly string[] | undefined
  const set: typeof store.derived.set = async (...args) => {
    // The blob is stored; what is known about it is being noted.
    deleted ??= (await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))).deleted
    return store.derived.set(...args)
  }
  const derived = { get: store.derived.get.bind(store.derived), set } as typeof store.derived
  const { descriptor } = await writeLayer({ put: store.put.bind(store), leases: store.leases, derived }, entries())
  expect(deleted).toEqual([])
  expect(await store.stat(descriptor.digest)).toBeDefined()
  const after = await runCollection(store, await planCollection(store, { graceMs: 0, force: true }))
  expect(after.deleted).toEqual([descriptor.digest])
})
